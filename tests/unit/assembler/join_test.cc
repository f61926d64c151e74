#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <numeric>

#include "services/assembler/join_pipeline.h"
#include "services/common/audio/joiner.h"
#include "services/common/store/files.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;

struct Fixture {
  Fixture() : files(folder.path(), song.separation_id(), 1) { WriteAllChunks(song, files); }
  // Those before `end`, which are not needed once they are joined.
  void RemoveChunks(int64_t end) const {
    for (int64_t chunk = 0; chunk < end; ++chunk) {
      for (int stem : song.computed) REQUIRE(files.RemoveChunk(chunk, stem).ok());
    }
  }
  // All stems of chunks `first` to `end` - 1, in memory alone.
  JoinPipeline::Fresh Fresh(int64_t first, int64_t end) {
    JoinPipeline::Fresh fresh;
    for (int64_t chunk = first; chunk < end; ++chunk) {
      for (int stem : song.computed)
        fresh[{chunk, stem}] = samples[{chunk, stem}] = song.Samples(chunk, stem).samples;
    }
    return fresh;
  }
  // What the joiner itself makes of one stem.
  std::string Expected(int stem) const {
    audio::Joiner joiner(*audio::ChunkGeometry::Create(song.window, song.overlap),
                         song.model_frames, song.channels);
    std::vector<float> out;
    for (int64_t chunk = 0; chunk < song.chunks(); ++chunk)
      REQUIRE(joiner.Push(song.Samples(chunk, stem).samples, &out).ok());
    return std::string(reinterpret_cast<const char*>(out.data()), out.size() * sizeof(float));
  }

  Song song;
  test_support::TempDir folder;
  ChunkFiles files;
  std::map<std::pair<int64_t, int>, std::vector<float>> samples;
};

}  // namespace

TEST_CASE("Case 1: joined files are what the joiner makes of the chunks") {
  Fixture f;
  auto pipeline = JoinPipeline::Create(PlannedJob(f.song), f.files);
  REQUIRE(pipeline.ok());
  REQUIRE((*pipeline)->JoinUpTo(0, f.song.chunks(), {}).ok());
  for (int stem : f.song.computed) {
    CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
    CHECK(ReadAll(f.files.JoinedPath(stem)).size() ==
          static_cast<size_t>(f.song.model_frames * f.song.channels) * sizeof(float));
  }
}

TEST_CASE("a join that is taken up after any number of chunks gives the same bytes") {
  for (int64_t done = 0; done <= Song().chunks(); ++done) {
    Fixture f;
    Job job = PlannedJob(f.song);
    auto first = JoinPipeline::Create(job, f.files);
    REQUIRE((*first)->JoinUpTo(0, done, {}).ok());
    // One chunk more than the record knows of, as after a kill between joining and recording.
    REQUIRE((*first)->JoinUpTo(done, std::min(done + 1, f.song.chunks()), {}).ok());
    job.joined = done;
    f.RemoveChunks(done);
    auto second = JoinPipeline::Create(job, f.files);
    REQUIRE(second.ok());
    REQUIRE((*second)->JoinUpTo(0, f.song.chunks(), {}).ok());
    for (int stem : f.song.computed) CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
  }
}

TEST_CASE("a joined file shorter than its record is damage, never filled with silence") {
  Fixture f;
  Job job = PlannedJob(f.song);
  auto pipeline = JoinPipeline::Create(job, f.files);
  REQUIRE((*pipeline)->JoinUpTo(0, 2, {}).ok());
  job.joined = 2;
  std::filesystem::resize_file(f.files.JoinedPath(1), 40);
  const auto resumed = JoinPipeline::Create(job, f.files);
  CHECK(absl::IsDataLoss(resumed.status()));
  CHECK_THAT(std::string(resumed.status().message()), Contains("40 bytes"));
}

TEST_CASE("what a full disk broke off is joined once there is room") {
  Fixture f;
  auto pipeline = JoinPipeline::Create(PlannedJob(f.song), f.files);
  REQUIRE((*pipeline)->JoinUpTo(0, 1, {}).ok());
  // The third stem meets a full disk when the first two have taken the chunk.
  const std::string path = f.files.JoinedPath(2);
  std::filesystem::rename(path, path + ".kept");
  std::filesystem::create_symlink("/dev/full", path);
  CHECK(absl::IsResourceExhausted((*pipeline)->JoinUpTo(1, 2, {})));
  std::filesystem::rename(path + ".kept", path);
  REQUIRE((*pipeline)->JoinUpTo(0, f.song.chunks(), {}).ok());
  for (int stem : f.song.computed) CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
}

TEST_CASE("chunks in memory are joined without their files, between others that have some") {
  Fixture f;
  f.RemoveChunks(3);
  auto pipeline = JoinPipeline::Create(PlannedJob(f.song), f.files);
  REQUIRE((*pipeline)->JoinUpTo(0, 2, f.Fresh(0, 2)).ok());
  auto mixed = f.Fresh(2, 4);
  for (int stem : {0, 3}) mixed.erase({3, stem});  // of the last of them two stems are stored
  REQUIRE((*pipeline)->JoinUpTo(2, f.song.chunks(), mixed).ok());
  for (int stem : f.song.computed) CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
}

TEST_CASE("what was joined and never recorded is taken back when it is not there any more") {
  Fixture f;
  f.RemoveChunks(f.song.chunks());
  auto pipeline = JoinPipeline::Create(PlannedJob(f.song), f.files);
  REQUIRE((*pipeline)->JoinUpTo(0, 2, f.Fresh(0, 2)).ok());
  REQUIRE((*pipeline)->JoinUpTo(2, 4, f.Fresh(2, 4)).ok());  // the record of it fails
  REQUIRE((*pipeline)->JoinUpTo(2, 3, f.Fresh(2, 3)).ok());
  Job job = PlannedJob(f.song);
  job.joined = 3;
  auto resumed = JoinPipeline::Create(job, f.files);
  REQUIRE(resumed.ok());
  REQUIRE((*resumed)->JoinUpTo(3, f.song.chunks(), f.Fresh(3, f.song.chunks())).ok());
  for (int stem : f.song.computed) CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
}

TEST_CASE("a join that an older version has left goes on from the chunk itself") {
  Fixture f;
  Job job = PlannedJob(f.song);
  auto pipeline = JoinPipeline::Create(job, f.files);
  REQUIRE((*pipeline)->JoinUpTo(0, 3, {}).ok());
  for (int slot : {0, 1}) REQUIRE(std::filesystem::remove(f.files.TailsPath(slot)));
  job.joined = 3;
  f.RemoveChunks(2);
  REQUIRE(JoinPipeline::Create(job, f.files).ok());
  f.RemoveChunks(3);  // as whoever has opened it may
  auto resumed = JoinPipeline::Create(job, f.files);
  REQUIRE(resumed.ok());
  REQUIRE((*resumed)->JoinUpTo(3, f.song.chunks(), {}).ok());
  for (int stem : f.song.computed) CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
}

TEST_CASE("tails that are cut off are damage") {
  Fixture f;
  Job job = PlannedJob(f.song);
  auto pipeline = JoinPipeline::Create(job, f.files);
  REQUIRE((*pipeline)->JoinUpTo(0, 1, {}).ok());
  job.joined = 1;
  std::filesystem::resize_file(f.files.TailsPath(0), 50);
  CHECK(absl::IsDataLoss(JoinPipeline::Create(job, f.files).status()));
}

TEST_CASE("Case 26: chunks that arrive in any order give the same files, bit for bit") {
  Song song;
  song.wanted = {"drums", "vocals"};
  song.computed = {0, 3};
  song.gains = {1, 1};
  test_support::TempDir folder;
  Bench reference(folder.path() + "/reference");
  reference.Complete(song);
  std::vector<int64_t> order(static_cast<size_t>(song.chunks()));
  std::iota(order.begin(), order.end(), 0);
  REQUIRE(order.size() == 5);
  int number = 0;
  do {
    if (++number % 17 != 0) continue;  // some of the 120 orders
    Bench bench(folder.path() + "/" + std::to_string(number));
    Recorder recorder;
    bench.Begin(song);
    for (int64_t chunk : order) bench.SendChunk(song, chunk);
    REQUIRE(bench.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
    for (const char* name : {"drums", "vocals", "mix"}) {
      const std::string rest = std::string("out/") + name + ".wav";
      REQUIRE(ReadAll(bench.PathOf(song, rest)) == ReadAll(reference.PathOf(song, rest)));
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace unbraid::assembler
