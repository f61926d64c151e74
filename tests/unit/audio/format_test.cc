#include "services/common/audio/format.h"

#include <catch2/catch.hpp>

#include "unbraid/v1/separation.pb.h"
#include "unbraid/v1/track.pb.h"

namespace unbraid::audio {
namespace {

using F = SampleFormat;

TEST_CASE("integer formats have bits and floats have none") {
  CHECK(IntegerBits(F::kU8) == 8);
  CHECK(IntegerBits(F::kS16) == 16);
  CHECK(IntegerBits(F::kS24) == 24);
  CHECK(IntegerBits(F::kS32) == 32);
  CHECK(IntegerBits(F::kF32) == 0);
  CHECK(IntegerBits(F::kSource) == 0);
}

TEST_CASE("the numbers of the formats are those of the API") {
  CHECK(static_cast<int>(F::kNone) == v1::SAMPLE_FORMAT_UNSPECIFIED);
  CHECK(static_cast<int>(F::kSource) == v1::SAMPLE_FORMAT_SOURCE);
  CHECK(static_cast<int>(F::kU8) == v1::SAMPLE_FORMAT_U8);
  CHECK(static_cast<int>(F::kS16) == v1::SAMPLE_FORMAT_S16);
  CHECK(static_cast<int>(F::kS24) == v1::SAMPLE_FORMAT_S24);
  CHECK(static_cast<int>(F::kS32) == v1::SAMPLE_FORMAT_S32);
  CHECK(static_cast<int>(F::kF32) == v1::SAMPLE_FORMAT_F32);
  CHECK(static_cast<int>(F::kF64) == v1::SAMPLE_FORMAT_F64);
  using O = v1::OutputFormat;
  CHECK(static_cast<int>(OutputContainer::kWav) == O::CONTAINER_WAV);
  CHECK(static_cast<int>(OutputContainer::kFlac) == O::CONTAINER_FLAC);
  CHECK(static_cast<int>(OutputContainer::kAiff) == O::CONTAINER_AIFF);
  CHECK(static_cast<int>(OutputContainer::kOggVorbis) == O::CONTAINER_OGG_VORBIS);
  CHECK(static_cast<int>(OutputContainer::kOggOpus) == O::CONTAINER_OGG_OPUS);
  CHECK(static_cast<int>(OutputContainer::kMp3) == O::CONTAINER_MP3);
  CHECK(static_cast<int>(ClipPolicy::kGain) == O::CLIP_POLICY_GAIN);
  CHECK(static_cast<int>(ClipPolicy::kClamp) == O::CLIP_POLICY_CLAMP);
  CHECK(static_cast<int>(ClipPolicy::kNone) == O::CLIP_POLICY_NONE);
  CHECK(static_cast<int>(Dither::kUnspecified) == O::DITHER_UNSPECIFIED);
  CHECK(static_cast<int>(Dither::kAuto) == O::DITHER_AUTO);
  CHECK(static_cast<int>(Dither::kNone) == O::DITHER_NONE);
  CHECK(static_cast<int>(Dither::kTpdf) == O::DITHER_TPDF);
}

TEST_CASE("mono stays mono, everything else becomes stereo") {
  CHECK(StemChannels(1) == 1);
  for (int channels : {2, 3, 6, 8}) CHECK(StemChannels(channels) == 2);
}

TEST_CASE("each container has its extension, and three of them are lossy") {
  using C = OutputContainer;
  const std::pair<C, const char*> extensions[] = {{C::kWav, "wav"},      {C::kFlac, "flac"},
                                                  {C::kAiff, "aiff"},    {C::kOggVorbis, "ogg"},
                                                  {C::kOggOpus, "opus"}, {C::kMp3, "mp3"}};
  int lossy = 0;
  for (const auto& [container, extension] : extensions) {
    CHECK(OutputFormat{container}.Extension() == extension);
    lossy += OutputFormat{container}.IsLossy() ? 1 : 0;
  }
  CHECK(lossy == 3);
}

TEST_CASE("a file has the track's rate and frames, save for Opus, which has 48 kHz") {
  const OutputFormat opus{OutputContainer::kOggOpus};
  for (OutputContainer container : {OutputContainer::kWav, OutputContainer::kMp3}) {
    CHECK(OutputFormat{container}.RateHz(44'100) == 44'100);
    CHECK(OutputFormat{container}.Frames(12'345, 44'100) == 12'345);
  }
  CHECK(opus.RateHz(44'100) == 48'000);
  CHECK(opus.Frames(44'100, 44'100) == 48'000);
  CHECK(opus.Frames(1, 44'100) == 1);
  CHECK(opus.Frames(11, 44'100) == 12);  // 11.97
  CHECK(opus.Frames(1, 32'000) == 2);    // 1.5
  CHECK(opus.Frames(12'345, 48'000) == 12'345);
  CHECK(opus.Frames(1, 192'000) == 1);  // 0.25, but never nothing
}

}  // namespace
}  // namespace unbraid::audio
