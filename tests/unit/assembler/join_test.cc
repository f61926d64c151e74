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

Job PlannedJob(const Song& song) {
  Job job;
  job.id = song.separation_id();
  job.open = song.Open();
  job.separation = job.open.separation();
  job.separation.set_attempt(1);
  job.model_frames = song.model_frames;
  job.chunks = song.chunks();
  job.chunk_records.assign(static_cast<size_t>(job.chunks), ChunkRecord());
  return job;
}

struct Fixture {
  Fixture() : files(folder.path(), song.separation_id(), 1) {
    REQUIRE(files.MakeFolders().ok());
    for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) {
      for (int stem : song.computed)
        REQUIRE(files.WriteChunk(chunk, stem, song.Samples(chunk, stem).samples).ok());
    }
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
};

}  // namespace

TEST_CASE("Case 1: joined files are what the joiner makes of the chunks") {
  Fixture f;
  auto pipeline = JoinPipeline::Create(PlannedJob(f.song), f.files);
  REQUIRE(pipeline.ok());
  REQUIRE((*pipeline)->JoinUpTo(f.song.chunks()).ok());
  for (int stem : f.song.computed) {
    CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
    CHECK(ReadAll(f.files.JoinedPath(stem)).size() ==
          static_cast<size_t>(f.song.model_frames * f.song.channels) * sizeof(float));
  }
}

TEST_CASE("a join that is taken up after any number of chunks gives the same bytes") {
  Fixture f;
  for (int64_t done = 0; done <= f.song.chunks(); ++done) {
    std::filesystem::remove_all(f.files.JoinedPath(0));
    for (int stem : f.song.computed) std::filesystem::remove(f.files.JoinedPath(stem));
    Job job = PlannedJob(f.song);
    auto first = JoinPipeline::Create(job, f.files);
    // One chunk more than the record knows of, as after a kill between joining and recording.
    REQUIRE((*first)->JoinUpTo(std::min(done + 1, f.song.chunks())).ok());
    job.joined = done;
    auto second = JoinPipeline::Create(job, f.files);
    REQUIRE(second.ok());
    REQUIRE((*second)->JoinUpTo(f.song.chunks()).ok());
    for (int stem : f.song.computed) CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
  }
}

TEST_CASE("a joined file shorter than its record is damage, never filled with silence") {
  Fixture f;
  Job job = PlannedJob(f.song);
  auto pipeline = JoinPipeline::Create(job, f.files);
  REQUIRE((*pipeline)->JoinUpTo(2).ok());
  job.joined = 2;
  std::filesystem::resize_file(f.files.JoinedPath(1), 40);
  const auto resumed = JoinPipeline::Create(job, f.files);
  CHECK(absl::IsDataLoss(resumed.status()));
  CHECK_THAT(std::string(resumed.status().message()), Contains("40 bytes"));
}

TEST_CASE("what a full disk broke off is joined once there is room") {
  Fixture f;
  auto pipeline = JoinPipeline::Create(PlannedJob(f.song), f.files);
  REQUIRE((*pipeline)->JoinUpTo(1).ok());
  // The third stem meets a full disk when the first two have taken the chunk.
  const std::string path = f.files.JoinedPath(2);
  std::filesystem::rename(path, path + ".kept");
  std::filesystem::create_symlink("/dev/full", path);
  CHECK(absl::IsResourceExhausted((*pipeline)->JoinUpTo(2)));
  std::filesystem::rename(path + ".kept", path);
  REQUIRE((*pipeline)->JoinUpTo(f.song.chunks()).ok());
  for (int stem : f.song.computed) CHECK(ReadAll(f.files.JoinedPath(stem)) == f.Expected(stem));
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
