#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <tuple>

#include "services/common/base/sha256.h"
#include "tests/unit/assembler/fixtures.h"

// Containers, levels and tags of results.

namespace unbraid::assembler {
namespace {

using O = v1::OutputFormat;

struct Fixture {
  std::string PathOf(const Song& song, const std::string& name) {
    const v1::Separation separation = bench.Get(song);
    for (const v1::StemFile& output : separation.outputs()) {
      if (output.stem() == name) {
        return bench.PathOf(song, "out/" + name + "." + output.extension());
      }
    }
    return "";
  }

  float Peak(const Song& song, const std::string& name) {
    float peak = 0;
    for (float sample : Decode(PathOf(song, name), song.channels)) {
      peak = std::max(peak, std::abs(sample));
    }
    return peak;
  }

  test_support::TempDir folder;
  Bench bench{folder.path()};
};

// A song in which each stem is a sine of its own level.
Song Sines(std::vector<double> levels, int64_t frames = 20'000) {
  Song song;
  song.window = 8'192;
  song.overlap = 1'024;
  song.frames = song.model_frames = frames;
  const int64_t stride = song.window - song.overlap;
  song.sample = [levels = std::move(levels), stride](int64_t chunk, int stem, int64_t frame, int) {
    constexpr double kStep = 0.0627;
    const auto at = static_cast<double>(chunk * stride + frame);
    return static_cast<float>(levels[static_cast<size_t>(stem)] * std::sin(kStep * at));
  };
  return song;
}

Song InContainer(Song song, O::Container container) {
  song.container = container;
  const bool lossy = container == O::CONTAINER_OGG_VORBIS || container == O::CONTAINER_OGG_OPUS ||
                     container == O::CONTAINER_MP3;
  song.format = lossy ? v1::SAMPLE_FORMAT_UNSPECIFIED : v1::SAMPLE_FORMAT_S16;
  if (container == O::CONTAINER_OGG_OPUS) song.output.set_bitrate_kbps(128);
  if (container == O::CONTAINER_OGG_VORBIS || container == O::CONTAINER_MP3) {
    song.output.set_quality(0.8);
  }
  return song;
}

}  // namespace

TEST_CASE("results of every container have its extension, rate, frames, size and hash") {
  Fixture f;
  const std::tuple<O::Container, const char*, int, int64_t> expected[] = {
      {O::CONTAINER_WAV, "wav", 44'100, 20'000},   {O::CONTAINER_FLAC, "flac", 44'100, 20'000},
      {O::CONTAINER_AIFF, "aiff", 44'100, 20'000}, {O::CONTAINER_OGG_VORBIS, "ogg", 44'100, 20'000},
      {O::CONTAINER_MP3, "mp3", 44'100, 20'000},   {O::CONTAINER_OGG_OPUS, "opus", 48'000, 21'769}};
  int64_t id = 1'000;
  for (const auto& [container, extension, rate, frames] : expected) {
    CAPTURE(extension);
    Song song = InContainer(Sines({0.2, 0.1, 0.1, 0.1}), container);
    song.id = ++id;
    f.bench.Complete(song);
    const v1::Separation separation = f.bench.Get(song);
    REQUIRE(separation.outputs_size() == 5);
    for (const v1::StemFile& output : separation.outputs()) {
      CHECK(output.extension() == extension);
      CHECK(output.sample_rate_hz() == rate);
      CHECK(output.frames() == frames);
      const std::string path = f.PathOf(song, output.stem());
      CHECK(Decode(path, 2).size() == static_cast<size_t>(2 * frames));
      CHECK(output.sha256() == base::ToHex(*base::Sha256OfFile(path)));
    }
    CHECK(separation.gain_db() == 0);
    CHECK(separation.clipped_samples() == 0);
    CHECK(f.Peak(song, "drums") == Approx(0.2).epsilon(0.05));
  }
}

TEST_CASE("Case 9: lossy results that would clip get the one gain too") {
  Fixture f;
  const O::Container container =
      GENERATE(O::CONTAINER_OGG_VORBIS, O::CONTAINER_OGG_OPUS, O::CONTAINER_MP3);
  const Song song = InContainer(Sines({0.8, 0.4, 0.2, 0.1}), container);  // the mix reaches 1.5
  f.bench.Complete(song);
  const double gain = std::pow(10.0, f.bench.Get(song).gain_db() / 20);
  CHECK(gain == Approx(1 / 1.5).epsilon(1e-3));
  CHECK(f.Peak(song, "mix") == Approx(1).epsilon(0.05));
  CHECK(f.Peak(song, "drums") == Approx(0.8 * gain).epsilon(0.05));
  CHECK(f.bench.Get(song).clipped_samples() == 0);
}

TEST_CASE("CLAMP limits and counts, in integers and floats, and changes nothing else") {
  Fixture f;
  Song song = Sines({0.8, 0.4, 0.2, 0.1});
  song.output.set_clip(O::CLIP_POLICY_CLAMP);
  song.format = GENERATE(v1::SAMPLE_FORMAT_S16, v1::SAMPLE_FORMAT_F32);
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).gain_db() == 0);
  // |1.5 sin| > 1 for 0.535 of the time, in two channels of the mix.
  const auto clipped = static_cast<double>(f.bench.Get(song).clipped_samples());
  CHECK(clipped == Approx(0.535 * 40'000).epsilon(0.01));
  CHECK(f.Peak(song, "mix") == Approx(1).epsilon(1e-4));
  CHECK(f.Peak(song, "drums") == Approx(0.8).epsilon(1e-3));
}

TEST_CASE("NONE lets integers stop at full scale and counts that, and leaves floats alone") {
  Fixture f;
  Song song = Sines({0.8, 0.4, 0.2, 0.1});
  song.output.set_clip(O::CLIP_POLICY_NONE);
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).gain_db() == 0);
  CHECK(f.bench.Get(song).clipped_samples() == 0);
  CHECK(f.Peak(song, "mix") == Approx(1.5).epsilon(1e-3));
  song.id = 124;
  song.format = v1::SAMPLE_FORMAT_S24;
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).gain_db() == 0);
  CHECK(f.bench.Get(song).clipped_samples() > 20'000);
  CHECK(f.Peak(song, "mix") == Approx(1).epsilon(1e-4));
}

TEST_CASE("what is within full scale is not counted under any policy") {
  Fixture f;
  Song song = Sines({0.5, 0.2, 0.1, 0.1});
  song.format = v1::SAMPLE_FORMAT_S16;
  song.output.set_clip(GENERATE(O::CLIP_POLICY_GAIN, O::CLIP_POLICY_CLAMP, O::CLIP_POLICY_NONE));
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).clipped_samples() == 0);
  CHECK(f.bench.Get(song).gain_db() == 0);
}

TEST_CASE("dither differs from stem to stem, stays below a step and a half, and is repeatable") {
  Fixture f;
  Song song = Sines({0.3, 0.3, 0.3, 0.3});
  song.format = v1::SAMPLE_FORMAT_S16;
  song.output.set_dither(O::DITHER_TPDF);
  song.output.set_clip(O::CLIP_POLICY_CLAMP);
  f.bench.Complete(song);
  Song again = song;
  again.id = 124;
  f.bench.Complete(again);
  const std::vector<float> drums = Decode(f.PathOf(song, "drums"), 2);
  const std::vector<float> bass = Decode(f.PathOf(song, "bass"), 2);
  CHECK(drums != bass);
  CHECK(ReadAll(f.PathOf(song, "drums")) == ReadAll(f.PathOf(again, "drums")));
  for (size_t i = 0; i < drums.size(); ++i) {
    REQUIRE(std::abs(drums[i] - bass[i]) <= 3.0F / 32'768);
  }
}

TEST_CASE("a separation that was opened before there were clip policies is finished with a gain") {
  Fixture f;
  Song song = Sines({0.8, 0.4, 0.2, 0.1});
  song.format = v1::SAMPLE_FORMAT_S16;
  const internal::v1::OpenSeparationRequest open = song.Open();
  REQUIRE(open.separation().output_format().clip() == O::CLIP_POLICY_UNSPECIFIED);
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).gain_db() < -3);
}

TEST_CASE("results carry the song's title and artist, and the name of the stem") {
  Fixture f;
  const Song song = InContainer(Sines({0.2, 0.1, 0.1, 0.1}), O::CONTAINER_OGG_VORBIS);
  f.bench.Complete(song);
  const std::string bytes = ReadAll(f.PathOf(song, "vocals"));
  for (const char* field : {"TITLE=Song (vocals)", "ARTIST=Band", "COMMENT=stem: vocals"}) {
    CHECK(bytes.find(field) != std::string::npos);
  }
  CHECK(bytes.find("ALBUM=") == std::string::npos);
}

}  // namespace unbraid::assembler
