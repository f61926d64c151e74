#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>

#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

struct Fixture {
  std::vector<float> Output(const Song& song, const std::string& name) const {
    return Decode(bench.PathOf(song, "out/" + name + ".wav"), song.channels);
  }
  test_support::TempDir folder;
  Bench bench{folder.path()};
};

// The largest difference between the song and what all outputs but the mix add up to.
double LargestGap(const Fixture& f, const Song& song) {
  const std::vector<float> truth = song.Floats();
  std::vector<double> sum(truth.size(), 0);
  for (const char* name : {"drums", "bass", "other", "vocals", "residual"}) {
    const std::vector<float> samples = f.Output(song, name);
    REQUIRE(samples.size() == truth.size());
    for (size_t i = 0; i < samples.size(); ++i) sum[i] += static_cast<double>(samples[i]);
  }
  double gap = 0;
  for (size_t i = 0; i < truth.size(); ++i)
    gap = std::max(gap, std::abs(sum[i] - static_cast<double>(truth[i])));
  return gap;
}

// Half a step of a float below 8, which nothing here reaches.
constexpr double kFloatRounding = 1.0 / (1 << 21) / 2;

}  // namespace

TEST_CASE("Case 6: stems that do not add up to the song and their residual do, at every rate") {
  Fixture f;
  Song song;
  song.residual = true;
  song.rate_hz = GENERATE(44'100, 48'000, 96'000);
  song.channels = GENERATE(1, 2);
  song.window = 16'384;
  song.overlap = 4'096;
  song.frames = 150'001;  // more than a block at any rate
  song.model_frames = (song.frames * 44'100 + song.rate_hz - 1) / song.rate_hz;
  f.bench.Complete(song);
  const v1::Separation separation = f.bench.Get(song);
  REQUIRE(separation.outputs_size() == 6);
  CHECK(separation.outputs(4).stem() == "mix");
  CHECK(separation.outputs(5).stem() == "residual");
  CHECK(separation.outputs(5).name() == "separations/123/stems/residual");
  CHECK(separation.outputs(5).frames() == song.frames);
  CHECK(LargestGap(f, song) <= kFloatRounding);
}

TEST_CASE("the residual is what all stems of the model leave, wanted or not, whatever the mix is") {
  Fixture f;
  Song all;
  all.residual = true;
  Song few = all;
  few.id = 124;
  few.wanted = {"bass"};
  few.gains = {0, 0.5, 0, 0};
  f.bench.Complete(all);
  f.bench.Complete(few);
  REQUIRE(f.bench.Get(few).outputs_size() == 3);
  CHECK(f.Output(few, "residual") == f.Output(all, "residual"));
}

TEST_CASE("Case 9: a residual that would clip turns all outputs down, and not itself alone") {
  Fixture f;
  Song song;
  song.residual = true;
  song.format = v1::SAMPLE_FORMAT_S16;
  song.gains = {0, 0, 0, 0};
  // The song is up to 1, so what is left of it goes up to 2.
  song.sample = [](int64_t, int stem, int64_t, int) { return stem == 0 ? 1.0F / 2 : -3.0F / 4; };
  song.computed = {0, 1, 2, 3};
  f.bench.Complete(song);
  const double gain = std::pow(10.0, f.bench.Get(song).gain_db() / 20);
  CHECK(gain < 0.5);
  CHECK(f.Output(song, "drums").front() == Approx(0.5 * gain).margin(1.0 / 32'768));
  float peak = 0;
  for (float sample : f.Output(song, "residual")) peak = std::max(peak, std::abs(sample));
  CHECK(peak >= 32'766.0F / 32'768.0F);
}

TEST_CASE("the song goes when the separation ends") {
  Fixture f;
  Song song;
  song.residual = true;
  SECTION("done") {
    f.bench.Complete(song);
    CHECK(std::filesystem::exists(f.bench.PathOf(song, "out/residual.wav")));
  }
  SECTION("cancelled") {
    f.bench.Begin(song);
    CHECK(std::filesystem::exists(f.bench.PathOf(song, "song")));
    CHECK(f.bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); }).ok());
  }
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(song, "song")));
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(song, "incoming")));
}

TEST_CASE("a song that got lost before the finish fails the separation, and says so") {
  Fixture f;
  Song song;
  song.residual = true;
  f.bench.Begin(song);
  REQUIRE(std::filesystem::remove(f.bench.PathOf(song, "song")));
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) f.bench.SendChunk(song, chunk);
  Recorder recorder;
  REQUIRE(f.bench.Await(song, &recorder, v1::Separation::STATE_FAILED));
  CHECK(f.bench.Get(song).failure().reason() == "FINISHING_FAILED");
  CHECK_THAT(f.bench.Get(song).failure().message(), Catch::Contains("song"));
}

}  // namespace unbraid::assembler
