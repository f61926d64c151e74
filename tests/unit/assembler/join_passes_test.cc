// Joined files of several passes, each the sum of those before and its own, the last one their
// mean.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "services/assembler/join_pipeline.h"
#include "services/common/audio/joiner.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;

struct Fixture {
  Fixture() : files(folder.path(), song.separation_id(), 1) { WriteAllChunks(song, files); }

  // One pass by itself.
  std::vector<float> Pass(int pass, int stem) const {
    const audio::Passes passes = song.passes();
    audio::Joiner joiner(passes.geometry(), passes.Frames(pass), song.channels);
    std::vector<float> out;
    for (int64_t chunk = passes.FirstChunk(pass); chunk < passes.FirstChunk(pass + 1); ++chunk)
      REQUIRE(joiner.Push(song.Samples(chunk, stem).samples, &out).ok());
    out.erase(out.begin(), out.begin() + passes.Silence(pass) * song.channels);
    return out;
  }

  std::string Expected(int stem) const {
    std::vector<float> mean = Pass(0, stem);
    for (int pass = 1; pass < song.shifts; ++pass) {
      const std::vector<float> more = Pass(pass, stem);
      for (size_t i = 0; i < mean.size(); ++i) mean[i] += more[i];
    }
    for (float& sample : mean) sample /= static_cast<float>(song.shifts);
    return std::string(reinterpret_cast<const char*>(mean.data()), mean.size() * sizeof(float));
  }

  Song song = ShiftedSong();
  Job job = PlannedJob(song);
  test_support::TempDir folder;
  ChunkFiles files;
};

}  // namespace

TEST_CASE("joined files are the mean of the passes, added in order as floats") {
  Fixture f;
  auto pipeline = JoinPipeline::Create(f.job, f.files);
  REQUIRE(pipeline.ok());
  REQUIRE((*pipeline)->JoinUpTo(0, f.song.chunks(), {}).ok());
  for (int stem : f.song.computed) {
    CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
    CHECK(ReadAll(f.files.JoinedPath(stem)).size() == 60 * 2 * sizeof(float));
  }
}

TEST_CASE("one shift is one pass behind its silence, as it is") {
  Fixture f;
  f.job.open.mutable_separation()->set_shifts(1);
  f.job.chunks = f.job.passes().ChunkCount();
  auto pipeline = JoinPipeline::Create(f.job, f.files);
  REQUIRE((*pipeline)->JoinUpTo(0, f.job.chunks, {}).ok());
  const std::vector<float> pass = f.Pass(0, 2);
  CHECK(ReadAll(f.files.JoinedPath(2)) ==
        std::string(reinterpret_cast<const char*>(pass.data()), pass.size() * sizeof(float)));
  CHECK_FALSE(std::filesystem::exists(f.files.PassPath(0, 2)));
}

TEST_CASE("passes that are taken up after any number of chunks give the same bytes") {
  const int64_t more = GENERATE(1, 4);  // than the record knows of, as after a kill before it
  for (int64_t done = 0; done <= ShiftedSong().chunks(); ++done) {
    Fixture f;
    auto first = JoinPipeline::Create(f.job, f.files);
    REQUIRE((*first)->JoinUpTo(0, done, {}).ok());
    REQUIRE((*first)->JoinUpTo(done, std::min(done + more, f.song.chunks()), {}).ok());
    f.job.joined = done;
    for (int64_t chunk = 0; chunk < done; ++chunk) {
      for (int stem : f.song.computed) REQUIRE(f.files.RemoveChunk(chunk, stem).ok());
    }
    auto second = JoinPipeline::Create(f.job, f.files);
    INFO(done << " chunks: " << second.status());
    REQUIRE(second.ok());
    REQUIRE((*second)->JoinUpTo(0, f.song.chunks(), {}).ok());
    for (int stem : f.song.computed) CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
  }
}

TEST_CASE("a pass that lacks the one before it is damage, never a smaller sum") {
  Fixture f;
  auto pipeline = JoinPipeline::Create(f.job, f.files);
  REQUIRE((*pipeline)->JoinUpTo(0, 6, {}).ok());
  f.job.joined = 6;
  std::filesystem::resize_file(f.files.PassPath(0, 1), 472);
  const auto resumed = JoinPipeline::Create(f.job, f.files);
  CHECK(absl::IsDataLoss(resumed.status()));
  CHECK_THAT(std::string(resumed.status().message()), Contains("472 bytes"));
  CHECK(absl::IsDataLoss((*pipeline)->JoinUpTo(6, 8, {})));
}

TEST_CASE("what a full disk broke off within a pass is joined once there is room") {
  Fixture f;
  auto pipeline = JoinPipeline::Create(f.job, f.files);
  REQUIRE((*pipeline)->JoinUpTo(0, 6, {}).ok());
  // The third stem meets a full disk when the first two have taken the chunk.
  const std::string path = f.files.PassPath(1, 2);
  std::filesystem::rename(path, path + ".kept");
  std::filesystem::create_symlink("/dev/full", path);
  CHECK(absl::IsResourceExhausted((*pipeline)->JoinUpTo(6, 7, {})));
  std::filesystem::rename(path + ".kept", path);
  REQUIRE((*pipeline)->JoinUpTo(0, f.song.chunks(), {}).ok());
  for (int stem : f.song.computed) CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
}

}  // namespace unbraid::assembler
