#include "services/assembler/finisher.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <memory>

#include "services/common/audio/interleave.h"
#include "services/common/base/sha256.h"
#include "services/common/store/files.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

constexpr double kFull16 = 32'768;

struct Fixture {
  std::vector<float> Output(const Song& song, const std::string& name) const {
    const bool flac = song.container == v1::OutputFormat::CONTAINER_FLAC;
    return Decode(bench.PathOf(song, "out/" + name + (flac ? ".flac" : ".wav")), song.channels);
  }
  test_support::TempDir folder;
  Bench bench{folder.path()};
};

// A song in which each stem has one level throughout.
Song Levels(std::vector<float> levels) {
  Song song;
  song.sample = [levels = std::move(levels)](int64_t, int stem, int64_t frame, int) {
    const float level = levels[static_cast<size_t>(stem)];
    return frame % 2 == 0 ? level : -level;
  };
  return song;
}

float Peak(const std::vector<float>& samples) {
  float peak = 0;
  for (float sample : samples) peak = std::max(peak, std::abs(sample));
  return peak;
}

// As if all chunks had been joined. Every stem is the song itself, so that the mix is far above
// full scale.
void WriteJoined(const Song& song, const ChunkFiles& files) {
  REQUIRE(files.MakeFolders().ok());
  const std::vector<float> floats = song.Floats();
  const auto bytes = audio::AsBytes(floats.data(), static_cast<int64_t>(floats.size()));
  for (int stem : song.computed)
    REQUIRE(store::WriteFileDurably(files.JoinedPath(stem), bytes).ok());
}

}  // namespace

TEST_CASE("every wanted stem and the mix are listed with size, hash and frames, the mix last") {
  Fixture f;
  const Song song;
  f.bench.Complete(song);
  const v1::Separation separation = f.bench.Get(song);
  REQUIRE(separation.outputs_size() == 5);
  const std::vector<std::string> names = {"drums", "bass", "other", "vocals", "mix"};
  for (int i = 0; i < 5; ++i) {
    const v1::StemFile& output = separation.outputs(i);
    const std::string path = f.bench.PathOf(song, "out/" + output.stem() + ".wav");
    CHECK(output.stem() == names[static_cast<size_t>(i)]);
    CHECK(output.name() == "separations/123/stems/" + output.stem());
    CHECK(output.frames() == 200);
    CHECK(output.extension() == "wav");
    CHECK(output.size_bytes() == static_cast<int64_t>(std::filesystem::file_size(path)));
    CHECK(output.sha256() == base::ToHex(*base::Sha256OfFile(path)));
  }
  CHECK(separation.gain_db() == 0);
}

TEST_CASE("floats come back bit for bit where one chunk covers a frame") {
  Fixture f;
  const Song song;
  f.bench.Complete(song);
  const std::vector<float> drums = f.Output(song, "drums");
  const std::vector<float> first = song.Samples(0, 0).samples;
  for (size_t i = 0; i < 48 * 2; ++i) REQUIRE(drums[i] == first[i]);
}

TEST_CASE("the mix is the sum of the stems with their gains, stems without a file included") {
  Fixture f;
  Song song;
  song.wanted = {"drums", "vocals"};
  song.computed = {0, 1, 3};
  song.gains = {0.5, 2, 0};
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).outputs_size() == 3);
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(song, "out/bass.wav")));
  const std::vector<float> mix = f.Output(song, "mix");
  const std::vector<float> drums = song.Samples(0, 0).samples;
  const std::vector<float> bass = song.Samples(0, 1).samples;
  for (size_t i = 0; i < 48 * 2; ++i) {
    REQUIRE(mix[i] == static_cast<float>(0.5 * static_cast<double>(drums[i]) +
                                         2.0 * static_cast<double>(bass[i])));
  }
}

TEST_CASE("a song that clips only near its end is turned down from its beginning") {
  Fixture f;
  Song song;
  song.window = 60'000;
  song.overlap = 10'000;
  song.frames = song.model_frames = 210'000;  // of which a block holds 65 536
  song.channels = 1;
  song.format = v1::SAMPLE_FORMAT_S16;
  song.output.set_dither(v1::OutputFormat::DITHER_NONE);
  song.wanted = {"drums", "bass"};
  song.computed = {0, 1};
  song.gains = {0, 0};
  song.sample = [](int64_t chunk, int stem, int64_t frame, int) {
    const bool loud = chunk == 3 && stem == 1 && frame == 30'000;
    return loud ? 2.0F : 0.5F;
  };
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).gain_db() == Approx(-6.02).margin(0.01));
  const std::vector<float> drums = f.Output(song, "drums");
  REQUIRE(drums.size() == 210'000);
  for (size_t frame : {0, 100'000, 209'999}) CHECK(drums[frame] == Approx(0.25).margin(1e-4));
}

TEST_CASE("Case 8, 9: integers that would clip get one gain for all stems and the mix") {
  Fixture f;
  Song song = Levels({0.8F, 0.4F, 0.2F, 0.1F});  // the mix reaches 1.5
  song.format = v1::SAMPLE_FORMAT_S16;
  f.bench.Complete(song);
  const double gain = std::pow(10.0, f.bench.Get(song).gain_db() / 20);
  CHECK(gain == Approx(1 / 1.5).epsilon(1e-3));
  CHECK(Peak(f.Output(song, "mix")) >= 32'766 / kFull16);
  CHECK(Peak(f.Output(song, "drums")) == Approx(0.8 * gain).margin(1 / kFull16));
  CHECK(Peak(f.Output(song, "vocals")) == Approx(0.1 * gain).margin(1 / kFull16));
}

TEST_CASE("Case 8: what fits is left alone, and floats are never touched") {
  Fixture f;
  Song song = Levels({0.5F, 0.25F, 0.125F, 0.0625F});
  SECTION("16 bits") { song.format = v1::SAMPLE_FORMAT_S16; }
  SECTION("24 bits") { song.format = v1::SAMPLE_FORMAT_S24; }
  SECTION("float above full scale") { song = Levels({3.0F, 0.5F, 0.5F, 0.5F}); }
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).gain_db() == 0);
  CHECK(Peak(f.Output(song, "drums")) == Peak(song.Samples(0, 0).samples));
}

TEST_CASE("a loud stem that only the mix needs does not make the others quieter") {
  Fixture f;
  Song song = Levels({0.5F, 1.5F, 0, 0});
  song.wanted = {"drums"};
  song.computed = {0, 1};
  song.gains = {1, 0.1};
  song.format = v1::SAMPLE_FORMAT_S16;
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).gain_db() == 0);
  CHECK(Peak(f.Output(song, "drums")) == 0.5F);
}

TEST_CASE("Case 17: a silent stem is a valid silent file") {
  Fixture f;
  Song song = Levels({0.5F, 0, 0, 0});
  song.format = GENERATE(v1::SAMPLE_FORMAT_S16, v1::SAMPLE_FORMAT_F32);
  f.bench.Complete(song);
  const std::vector<float> bass = f.Output(song, "bass");
  CHECK(bass.size() == 400);
  CHECK(Peak(bass) == 0);
}

TEST_CASE("Case 2, 10: results have the track's own rate, channels and exact frames") {
  Fixture f;
  Song song;
  song.window = 4096;
  song.overlap = 1024;
  song.rate_hz = GENERATE(48'000, 8'000, 96'000);
  song.frames = 12'345;
  song.channels = GENERATE(1, 2);
  song.model_frames = (song.frames * 44'100 + song.rate_hz - 1) / song.rate_hz;
  song.format = v1::SAMPLE_FORMAT_S24;
  f.bench.Complete(song);
  CHECK(f.bench.Get(song).outputs(0).frames() == 12'345);
  for (const char* name : {"drums", "mix"}) {
    const std::vector<float> samples = f.Output(song, name);
    CHECK(samples.size() == static_cast<size_t>(12'345 * song.channels));
  }
}

TEST_CASE("Case 4: a track of one frame comes back as one frame") {
  Fixture f;
  Song song;
  song.frames = song.model_frames = 1;
  f.bench.Complete(song);
  CHECK(f.Output(song, "drums") == song.Samples(0, 0).samples);
}

TEST_CASE("FLAC is written with its own extension and the same samples as WAV") {
  Fixture f;
  Song song = Levels({0.5F, 0.25F, 0.125F, 0.0625F});
  song.format = v1::SAMPLE_FORMAT_S24;
  Song flac = song;
  flac.id = 124;
  flac.container = v1::OutputFormat::CONTAINER_FLAC;
  f.bench.Complete(song);
  f.bench.Complete(flac);
  CHECK(f.bench.Get(flac).outputs(0).extension() == "flac");
  for (const char* name : {"drums", "vocals", "mix"})
    CHECK(f.Output(song, name) == f.Output(flac, name));
}

TEST_CASE("once a separation has succeeded only its results take room") {
  Fixture f;
  const Song song;
  f.bench.Complete(song);
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(song, "chunks")));
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(song, "joined")));
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(f.bench.PathOf(song, "out"))) {
    CHECK(entry.path().extension() == ".wav");
    ++files;
  }
  CHECK(files == 5);
}

TEST_CASE(
    "Case 16: a mix that leaves the range of a float ends the separation, and is not written") {
  Fixture f;
  Song song = Levels({2e38F, 2e38F, 2e38F, 2e38F});
  f.bench.Begin(song);
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) f.bench.SendChunk(song, chunk);
  Recorder recorder;
  REQUIRE(f.bench.Await(song, &recorder, v1::Separation::STATE_FAILED));
  const v1::Failure failure = f.bench.Get(song).failure();
  CHECK(failure.reason() == "OUTPUT_NOT_FINITE");
  CHECK(failure.message().find("'mix'") != std::string::npos);
  CHECK(failure.message().find("0.000 s") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(song, "out/mix.wav")));
}

TEST_CASE("cancelling breaks the finishing off and leaves nothing behind") {
  Fixture f;
  const Song song;
  f.bench.Begin(song);
  Held held(&f.bench.finishing_executor);
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) f.bench.SendChunk(song, chunk);
  Recorder recorder;
  CHECK(f.bench.Await(song, &recorder, v1::Separation::STATE_FINISHING));
  CHECK(f.bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); }).ok());
  // The finishing that is still to run finds its separation gone.
  absl::Notification finished;
  f.bench.finishing_executor.Post([&] { finished.Notify(); });
  held.Go();
  finished.WaitForNotification();
  CHECK(f.bench.Get(song).state() == v1::Separation::STATE_CANCELLED);
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(song, "")));
}

TEST_CASE("a finishing that is cancelled between two blocks takes no other, and leaves no file") {
  Song song;
  song.frames = song.model_frames = 210'000;  // of which a block holds 65 536
  song.channels = 1;
  double done = 0;  // the share after which it is cancelled
  SECTION("floats, which are written at once") {}
  SECTION("integers that clip, while they are written, after the peaks are known") {
    song.format = v1::SAMPLE_FORMAT_S16;
    done = 0.5;
  }
  test_support::TempDir folder;
  const ChunkFiles files(folder.path(), song.separation_id(), 1);
  WriteJoined(song, files);
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  auto finisher = std::make_unique<Finisher>(PlannedJob(song), files, cancelled);
  int told = 0;
  const absl::StatusOr<FinishResult> result = finisher->Finish([&](double share) {
    if (share <= done) return;
    ++told;
    *cancelled = true;
  });
  finisher = nullptr;
  CHECK(absl::IsCancelled(result.status()));
  CHECK(told == 1);
  CHECK(std::filesystem::is_empty(files.folder() + "/out"));
}

}  // namespace unbraid::assembler
