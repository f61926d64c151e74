#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "services/common/audio/format.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

using C = OutputContainer;
using F = SampleFormat;

OutputSource Source(F format, int rate_hz = 44'100, int channels = 2, int64_t frames = 1'000) {
  return {format, rate_hz, channels, frames};
}

OutputFormat Resolved(OutputFormat wanted, F source) {
  return ResolveOutput(wanted, Source(source)).value();
}

F Depth(C container, F source) { return Resolved({container}, source).sample_format; }

std::string Refused(const OutputFormat& wanted, const OutputSource& source = Source(F::kS16)) {
  return Refusal(ResolveOutput(wanted, source).status());
}

OutputFormat WithQuality(C container, double quality) {
  OutputFormat format{container};
  format.quality = quality;
  return format;
}

OutputFormat WithBitrate(C container, int kbps) {
  OutputFormat format{container};
  format.bitrate_kbps = kbps;
  return format;
}

OutputFormat WithDither(C container, F depth, Dither dither) {
  OutputFormat format{container, depth};
  format.dither = dither;
  return format;
}

TEST_CASE("Case 10: without a wish the depth is the source's, or the next finer one") {
  for (C container : {C::kWav, C::kAiff}) {
    CHECK(Depth(container, F::kU8) == F::kS16);
    CHECK(Depth(container, F::kS16) == F::kS16);
    CHECK(Depth(container, F::kS24) == F::kS24);
    CHECK(Depth(container, F::kS32) == F::kS32);
    CHECK(Depth(container, F::kF32) == F::kF32);
    CHECK(Depth(container, F::kF64) == F::kF32);
  }
  CHECK(Depth(C::kFlac, F::kU8) == F::kS16);
  CHECK(Depth(C::kFlac, F::kS16) == F::kS16);
  for (F source : {F::kS24, F::kS32, F::kF32, F::kF64}) {
    CHECK(Depth(C::kFlac, source) == F::kS24);
  }
  for (C container : {C::kOggVorbis, C::kOggOpus, C::kMp3}) {
    CHECK(Depth(container, F::kS16) == F::kNone);
  }
}

TEST_CASE("an explicit depth is kept, whatever the source is") {
  for (F source : {F::kU8, F::kS16, F::kF64}) {
    for (F depth : {F::kS16, F::kS24, F::kS32, F::kF32}) {
      CHECK(Resolved({C::kWav, depth}, source).sample_format == depth);
      CHECK(Resolved({C::kAiff, depth}, source).sample_format == depth);
    }
    CHECK(Resolved({C::kFlac, F::kS16}, source).sample_format == F::kS16);
  }
}

TEST_CASE("a depth that the container does not have is refused with advice") {
  CHECK(
      Refused({C::kFlac, F::kF32}) ==
      "UNSUPPORTED_OUTPUT: FLAC holds no floating-point samples; ask for S24, or for WAV or AIFF.");
  CHECK(Refused({C::kFlac, F::kS32}) ==
        "UNSUPPORTED_OUTPUT: FLAC has at most 24 bits here; ask for S24, or for WAV or AIFF.");
  CHECK(Refused({C::kFlac, F::kU8}) ==
        "UNSUPPORTED_OUTPUT: Samples of FLAC can be SOURCE, S16 or S24.");
  for (F depth : {F::kU8, F::kF64}) {
    CHECK(Refused({C::kAiff, depth}) ==
          "UNSUPPORTED_OUTPUT: Samples of AIFF can be SOURCE, S16, S24, S32 or F32.");
  }
  CHECK(Refused({C::kMp3, F::kS16}) ==
        "UNSUPPORTED_OUTPUT: MP3 is lossy and has no sample format; leave it out.");
}

TEST_CASE("dither is on by itself exactly where the outputs are coarser than the track") {
  const auto dither = [](C container, F depth, F source) {
    return Resolved({container, depth}, source).dither;
  };
  CHECK(dither(C::kWav, F::kSource, F::kS16) == Dither::kNone);
  CHECK(dither(C::kWav, F::kSource, F::kU8) == Dither::kNone);
  CHECK(dither(C::kWav, F::kSource, F::kS32) == Dither::kNone);
  CHECK(dither(C::kWav, F::kS24, F::kS16) == Dither::kNone);
  CHECK(dither(C::kWav, F::kS16, F::kS24) == Dither::kTpdf);
  CHECK(dither(C::kFlac, F::kSource, F::kS32) == Dither::kTpdf);
  CHECK(dither(C::kFlac, F::kSource, F::kF32) == Dither::kTpdf);
  CHECK(dither(C::kAiff, F::kS32, F::kF32) == Dither::kTpdf);
  CHECK(dither(C::kWav, F::kF32, F::kF64) == Dither::kUnspecified);
  CHECK(dither(C::kOggOpus, F::kSource, F::kS24) == Dither::kUnspecified);
}

TEST_CASE("dither that is asked for is kept, and refused where there are no integers") {
  CHECK(Resolved(WithDither(C::kWav, F::kS16, Dither::kTpdf), F::kS16).dither == Dither::kTpdf);
  CHECK(Resolved(WithDither(C::kWav, F::kS16, Dither::kNone), F::kF32).dither == Dither::kNone);
  CHECK(Resolved(WithDither(C::kWav, F::kF32, Dither::kNone), F::kF32).dither ==
        Dither::kUnspecified);
  CHECK(
      Refused(WithDither(C::kWav, F::kF32, Dither::kTpdf)) ==
      "UNSUPPORTED_OUTPUT: Dither is for integers, and these outputs are floats; ask for AUTO, or "
      "for S16 or S24.");
  for (Dither wanted : {Dither::kNone, Dither::kTpdf}) {
    CHECK(Refused(WithDither(C::kOggVorbis, F::kSource, wanted)) ==
          "UNSUPPORTED_OUTPUT: Ogg Vorbis is lossy and has no use for dither; leave it out.");
  }
}

TEST_CASE("quality and bitrate have defaults, and stay as they are asked for") {
  CHECK(Resolved({C::kOggVorbis}, F::kS16).quality == 0.6);
  CHECK(Resolved({C::kMp3}, F::kS16).quality == 0.8);
  CHECK(Resolved({C::kMp3}, F::kS16).bitrate_kbps == 0);
  CHECK(Resolved({C::kOggOpus}, F::kS16).bitrate_kbps == 128);
  CHECK_FALSE(Resolved({C::kOggOpus}, F::kS16).quality.has_value());
  CHECK_FALSE(Resolved(WithBitrate(C::kMp3, 320), F::kS16).quality.has_value());
  CHECK(Resolved(WithQuality(C::kMp3, 0.25), F::kS16).quality == 0.25);
  CHECK_FALSE(std::signbit(*Resolved(WithQuality(C::kOggVorbis, -0.0), F::kS16).quality));
}

TEST_CASE("quality and bitrate are refused where they do not apply") {
  CHECK(
      Refused(WithQuality(C::kFlac, 0.5)) ==
      "UNSUPPORTED_OUTPUT: FLAC is lossless: leave quality and bitrate out, or ask for OGG_VORBIS, "
      "OGG_OPUS or MP3.");
  CHECK(
      Refused(WithBitrate(C::kWav, 128)) ==
      "UNSUPPORTED_OUTPUT: WAV is lossless: leave quality and bitrate out, or ask for OGG_VORBIS, "
      "OGG_OPUS or MP3.");
  CHECK(Refused(WithBitrate(C::kOggVorbis, 128)) ==
        "UNSUPPORTED_OUTPUT: OGG_VORBIS has no bitrate to choose; ask for a quality from 0 to 1.");
  CHECK(Refused(WithQuality(C::kOggOpus, 0.5)) ==
        "UNSUPPORTED_OUTPUT: OGG_OPUS has no quality to choose; ask for a bitrate in kbit/s.");
  OutputFormat both = WithQuality(C::kMp3, 0.5);
  both.bitrate_kbps = 128;
  CHECK(Refused(both) ==
        "UNSUPPORTED_OUTPUT: MP3 has either a quality or a bitrate; leave one of them out.");
}

TEST_CASE("quality and bitrate are refused out of their range") {
  for (double quality : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(Refused(WithQuality(C::kMp3, quality)).find("UNSUPPORTED_OUTPUT: A quality of ") == 0);
  }
  CHECK(Refused(WithBitrate(C::kOggOpus, 5)) ==
        "UNSUPPORTED_OUTPUT: OGG_OPUS with 2 channels has 6 to 510 kbit/s, not 5.");
  CHECK(Refused(WithBitrate(C::kOggOpus, 511)) ==
        "UNSUPPORTED_OUTPUT: OGG_OPUS with 2 channels has 6 to 510 kbit/s, not 511.");
  CHECK(Refused(WithBitrate(C::kOggOpus, 257), Source(F::kS16, 48'000, 1)) ==
        "UNSUPPORTED_OUTPUT: OGG_OPUS with 1 channel has 6 to 256 kbit/s, not 257.");
  CHECK(Refused(WithBitrate(C::kOggOpus, 510)) == "OK");
  CHECK(Refused(WithBitrate(C::kMp3, -128)).find("UNSUPPORTED_OUTPUT: MP3 at 44100 Hz") == 0);
}

TEST_CASE("MP3 is refused at rates and bitrates that its versions do not have") {
  for (int rate : {8'001, 37'800, 88'200, 96'000, 192'000}) {
    CHECK(
        Refused({C::kMp3}, Source(F::kS16, rate)).find("UNSUPPORTED_OUTPUT: MP3 has no rate of ") ==
        0);
  }
  CHECK(Refused(WithBitrate(C::kMp3, 144)) ==
        "UNSUPPORTED_OUTPUT: MP3 at 44100 Hz has no bitrate of 144 kbit/s; it has 32, 40, 48, 56, "
        "64, "
        "80, 96, 112, 128, 160, 192, 224, 256, 320.");
  CHECK(Refused(WithBitrate(C::kMp3, 144), Source(F::kS16, 22'050)) == "OK");
  CHECK(Refused(WithBitrate(C::kMp3, 192), Source(F::kS16, 22'050)) ==
        "UNSUPPORTED_OUTPUT: MP3 at 22050 Hz has no bitrate of 192 kbit/s; it has 32, 40, 48, 56, "
        "64, "
        "80, 96, 112, 128, 144, 160.");
  CHECK(Refused(WithBitrate(C::kMp3, 80), Source(F::kS16, 11'025)) ==
        "UNSUPPORTED_OUTPUT: MP3 at 11025 Hz has no bitrate of 80 kbit/s; it has 32, 40, 48, 56, "
        "64.");
}

TEST_CASE("AIFF is refused above 2 GB, FLAC at rates that its header cannot name") {
  constexpr int64_t kFit = ((int64_t{2} << 30) - (int64_t{1} << 20)) / 4;
  CHECK(Refused({C::kAiff}, Source(F::kS16, 44'100, 2, kFit)) == "OK");
  CHECK(Refused({C::kAiff}, Source(F::kS16, 44'100, 2, kFit + 1)) ==
        "UNSUPPORTED_OUTPUT: AIFF holds at most 2 GB, and these outputs are longer; ask for WAV or "
        "FLAC.");
  CHECK(Refused({C::kAiff}, Source(F::kF32, 44'100, 2, kFit)).find("UNSUPPORTED_OUTPUT") == 0);
  CHECK(Refused({C::kWav}, Source(F::kF32, 44'100, 2, 10 * kFit)) == "OK");
  CHECK(Refused({C::kFlac}, Source(F::kS16, 96'001)) ==
        "UNSUPPORTED_OUTPUT: FLAC cannot be written at 96001 Hz; ask for WAV or AIFF.");
  for (int rate : {12'345, 65'535, 88'200, 96'010, 192'000}) {
    CHECK(Refused({C::kFlac}, Source(F::kS16, rate)) == "OK");
  }
}

}  // namespace
}  // namespace unbraid::audio
