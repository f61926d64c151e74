// Separations of several passes: each has joined files of its own, and the result is their mean.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "services/assembler/progress.h"
#include "services/assembler/space.h"
#include "services/common/base/status.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

// The files of one attempt's `joined` folder.
std::set<std::string> Joined(const ChunkFiles& files) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(files.folder() + "/joined"))
    names.insert(entry.path().filename().string());
  return names;
}

// All that a separation has given out, by its name.
std::map<std::string, std::string> Results(const Bench& bench, const Song& song) {
  std::map<std::string, std::string> results;
  for (const auto& entry : std::filesystem::directory_iterator(bench.PathOf(song, "out")))
    results[entry.path().filename().string()] = ReadAll(entry.path().string());
  return results;
}

}  // namespace

TEST_CASE("files of passes go when they are summed, and the last one is what can be followed") {
  const Song song = ShiftedSong();
  test_support::TempDir folder;
  Bench bench(folder.path());
  bench.Begin(song);
  Held held(&bench.finishing_executor);
  const ChunkFiles files(folder.path(), song.separation_id(), 1);
  const std::set<std::string> last = {"0", "1", "2", "3"};
  std::vector<size_t> counts;
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) {
    bench.SendChunk(song, chunk);
    const std::set<std::string> joined = Joined(files);
    CHECK(std::includes(joined.begin(), joined.end(), last.begin(), last.end()));
    counts.push_back(joined.size() / last.size());
    const auto plan = bench.On([&](Engine& e) {
      return e.PlanFollow(kOwner, {song.separation_id(), "vocals"});
    });
    CHECK(plan->joined_frames == song.passes().JoinedFrames(2, chunk + 1));
    CHECK(plan->parts.front().path == files.JoinedPath(3));
  }
  CHECK(counts == std::vector<size_t>{2, 2, 2, 2, 2, 3, 3, 2, 2, 2, 2, 2, 1});
  CHECK(bench.Get(song).progress().joined().nanos() == 600'000'000);
  held.Go();
  Recorder recorder;
  CHECK(bench.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
  CHECK_FALSE(std::filesystem::exists(files.folder() + "/joined"));
}

TEST_CASE("killed after any step, separations of several passes go on and give the same bytes") {
  Song song = ShiftedSong();
  song.wanted = {"drums", "vocals"};
  song.computed = {0, 3};
  song.gains = {1, 1};
  test_support::TempDir folder;
  Bench reference(folder.path() + "/reference");
  reference.Complete(song);
  const auto expected = Results(reference, song);
  Bench victim(folder.path() + "/victim");
  victim.Begin(song);
  // Out of order, so that a pass is complete when the one before it is not.
  for (const int64_t chunk : {5, 6, 7, 1, 0, 2, 3, 4, 9, 8, 12, 11}) {
    victim.SendChunk(song, chunk);
    const std::string copy = folder.path() + "/copy";
    CopyAsKilled(folder.path() + "/victim", copy);
    Bench revived(copy);
    REQUIRE(revived.created.ok());
    for (int64_t again = 0; again < song.chunks(); ++again) revived.SendChunk(song, again);
    Recorder recorder;
    REQUIRE(revived.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
    REQUIRE(Results(revived, song) == expected);
  }
}

TEST_CASE("a restart removes passes that are summed, and fails what lacks one that is not") {
  const Song song = ShiftedSong();
  test_support::TempDir folder;
  const ChunkFiles files(folder.path(), song.separation_id(), 1);
  {
    Bench bench(folder.path());
    bench.Begin(song);
    for (int64_t chunk = 0; chunk < 9; ++chunk) bench.SendChunk(song, chunk);
  }
  const std::set<std::string> before = Joined(files);
  CHECK(before == std::set<std::string>{"0", "0.1", "1", "1.1", "2", "2.1", "3", "3.1", "tails.0",
                                        "tails.1"});
  std::filesystem::copy(files.PassPath(1, 0), files.PassPath(0, 0));  // as a power cut leaves it
  {
    Bench bench(folder.path());
    CHECK(Joined(files) == before);
  }
  std::filesystem::remove(files.PassPath(1, 3));
  Bench bench(folder.path());
  REQUIRE(bench.created.ok());
  CHECK(bench.Get(song).state() == v1::Separation::STATE_FAILED);
  CHECK(bench.Get(song).failure().reason() == "STORAGE_DAMAGED");
  CHECK_FALSE(std::filesystem::exists(files.folder()));
}

TEST_CASE("a separation of several passes that is cancelled or deleted leaves no file") {
  const Song song = ShiftedSong();
  test_support::TempDir folder;
  Bench bench(folder.path());
  bench.Begin(song);
  for (int64_t chunk = 0; chunk < 7; ++chunk) bench.SendChunk(song, chunk);
  REQUIRE(std::filesystem::exists(bench.PathOf(song, "joined/0.1")));
  SECTION("cancelled") {
    REQUIRE(bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); }).ok());
    CHECK_FALSE(std::filesystem::exists(bench.PathOf(song, "")));
  }
  SECTION("deleted") {
    REQUIRE(bench.On([&](Engine& e) { return e.Delete(kOwner, song.separation_id()); }).ok());
    CHECK(std::filesystem::is_empty(folder.path() + "/separations"));
  }
}

TEST_CASE("a plan must have the chunks of all passes") {
  const Song song = ShiftedSong();
  test_support::TempDir folder;
  Bench bench(folder.path());
  REQUIRE(bench.On([&](Engine& e) { return e.Open(kOwner, song.Open()); }).ok());
  auto plan = song.Plan();
  CHECK(plan.chunks() == 13);
  plan.set_chunks(3);  // those of one pass without silence
  const absl::Status refused = bench.On([&](Engine& e) { return e.Plan(plan); });
  CHECK(base::ReasonOf(refused) == "BAD_REQUEST");
  CHECK(bench.On([&](Engine& e) { return e.Plan(song.Plan()); }).ok());
}

TEST_CASE("chunks are told with their place in the track, pass by pass") {
  const Song song = ShiftedSong();
  test_support::TempDir folder;
  Bench bench(folder.path());
  bench.Begin(song);
  v1::ListChunksRequest request;
  request.set_parent("separations/123");
  const auto list = bench.On([&](Engine& e) { return e.ListChunks(kOwner, request); });
  REQUIRE(list->chunks_size() == 13);
  // Before the track, half-way in it, at its end, and at the beginning of the next pass.
  const std::vector<std::tuple<int, int, int>> places = {
      {0, 0, 0}, {1, 0, 100}, {4, 500, 100}, {5, 0, 200}, {12, 530, 70}};
  for (const auto& [index, start_ms, length_ms] : places) {
    const v1::Chunk& chunk = list->chunks(index);
    CHECK(chunk.index() == index);
    CHECK(chunk.start().nanos() == start_ms * 1'000'000);
    CHECK(chunk.length().nanos() == length_ms * 1'000'000);
  }
  const Job job = PlannedJob(song);
  CHECK(job.DescribeChunk(4) == "chunk 4 (pass 1 of 3, 0:00.5 to 0:00.6)");
  CHECK(job.DescribeChunk(5) == "chunk 5 (pass 2 of 3, 0:00.0 to 0:00.2)");
}

TEST_CASE("a second of the track counts for the speed when all passes have it") {
  Job job = PlannedJob(ShiftedSong());
  job.separation.set_state(v1::Separation::STATE_SEPARATING);
  const absl::Time begin = absl::FromUnixSeconds(1'000'000);
  job.working_since = begin;
  for (size_t chunk = 0; chunk < 5; ++chunk) job.chunk_records[chunk].stems_done = 0b1111;
  UpdateProgress(begin + absl::Seconds(2), 0, &job);
  CHECK(job.separation.progress().speed() == Approx(5 * 0.24 / 3 / 2));
}

TEST_CASE("room for the joined files of two passes, or for one and the results, is kept") {
  Job job = PlannedJob(ShiftedSong());
  constexpr int64_t kFile = 60 * 2 * sizeof(float);
  CHECK(NeededBytes(job.open) == (4 + 5) * kFile);
  job.open.mutable_separation()->clear_stems();
  CHECK(NeededBytes(job.open) == (4 + 4) * kFile);  // only a mix: two passes take more
  // Nothing, four fifths of the first pass, all of it, all of the second, all.
  for (const auto& [joined, needed] :
       std::vector<std::pair<int64_t, double>>{{0, 8}, {4, 4.8}, {5, 4}, {8, 4}, {13, 1}}) {
    job.joined = joined;
    CHECK(StillNeededBytes(job) == Approx(needed * kFile).margin(1));
  }
}

TEST_CASE("a separation with fewer passes than none, or too many, is refused") {
  auto request = ShiftedSong().Open();
  request.mutable_separation()->set_shifts(GENERATE(-1, 17));
  const absl::Status refused = CheckOpen(request);
  CHECK(absl::IsInvalidArgument(refused));
  CHECK(base::ReasonOf(refused) == "BAD_REQUEST");
}

}  // namespace unbraid::assembler
