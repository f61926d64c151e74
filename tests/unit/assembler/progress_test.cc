#include "services/assembler/progress.h"

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {

TEST_CASE("Case 25: percentages never fall, versions always grow, and 100 is success alone") {
  Song song;
  test_support::TempDir folder;
  Bench bench(folder.path());
  Recorder recorder;
  REQUIRE(bench.On([&](Engine& e) { return e.Open(kOwner, song.Open()); }).ok());
  bench.Watch(song, &recorder);
  REQUIRE(bench.On([&](Engine& e) { return e.Plan(song.Plan()); }).ok());
  for (int64_t chunk : {3, 1, 0, 2, 4}) {
    bench.SendChunk(song, chunk);
    // As if time had passed, so that no news is held back.
    bench.TickLater();
  }
  REQUIRE(recorder.AwaitState(v1::Separation::STATE_SUCCEEDED));
  bench.hub.Unsubscribe(song.separation_id(), &recorder);
  const std::vector<v1::Separation> all = recorder.all();
  REQUIRE(all.size() >= 6);
  for (size_t i = 1; i < all.size(); ++i) {
    CHECK(all[i].progress().percent() >= all[i - 1].progress().percent());
    CHECK(all[i].version() > all[i - 1].version());
    CHECK((all[i].progress().percent() == 100) ==
          (all[i].state() == v1::Separation::STATE_SUCCEEDED));
    CHECK((all[i].outputs_size() > 0) == (all[i].state() == v1::Separation::STATE_SUCCEEDED));
  }
  CHECK(all.front().progress().percent() <= 2);
  CHECK(all.back().progress().chunks_done() == 5);
}

TEST_CASE("progress moves with results also while one late chunk holds up the joining") {
  Song song;
  test_support::TempDir folder;
  Bench bench(folder.path());
  bench.Begin(song);
  double last = bench.Get(song).progress().percent();
  for (int64_t chunk = 1; chunk < song.chunks(); ++chunk) {
    bench.SendChunk(song, chunk);
    CHECK(bench.Get(song).progress().percent() > last);
    last = bench.Get(song).progress().percent();
  }
  CHECK(last < 95);
}

TEST_CASE("speed and the remaining time follow from what was computed since the plan") {
  Song song;
  song.window = 64;
  song.overlap = 16;
  song.model_rate_hz = 48;  // a second of new audio for each chunk
  song.model_frames = song.frames = 480;
  Job job;
  job.open = song.Open();
  job.model_frames = song.model_frames;
  job.chunks = 10;
  job.chunk_records.assign(10, ChunkRecord());
  job.separation.set_state(v1::Separation::STATE_SEPARATING);
  const absl::Time begin = absl::FromUnixSeconds(1'000'000);
  job.working_since = begin;
  UpdateProgress(begin + absl::Seconds(1), 0, &job);
  CHECK(job.separation.progress().speed() == 0);
  CHECK_FALSE(job.separation.progress().has_remaining());
  for (size_t chunk = 0; chunk < 4; ++chunk) job.chunk_records[chunk].stems_done = 0b1111;
  UpdateProgress(begin + absl::Seconds(2), 0, &job);
  CHECK(job.separation.progress().speed() == Approx(2));
  CHECK(job.separation.progress().remaining().seconds() == 3);
}

TEST_CASE("news are held back for a tenth of a second, and then told") {
  Song song;
  test_support::TempDir folder;
  Bench bench(folder.path());
  const absl::Time begin = absl::Now();
  bench.Begin(song);
  Recorder recorder;
  bench.Watch(song, &recorder);
  const size_t before = recorder.all().size();
  // Out of order, so that each of these twelve results is news of its own.
  for (int64_t chunk : {2, 3, 4}) bench.SendChunk(song, chunk);
  const size_t told = recorder.all().size() - before;
  // The plan was news too, so there is at most one for each whole tenth: none, unless the machine
  // is slow.
  CHECK(static_cast<int64_t>(told) <= (absl::Now() - begin) / absl::Milliseconds(100));
  bench.TickLater();
  bench.hub.Unsubscribe(song.separation_id(), &recorder);
  CHECK(recorder.all().back().version() == bench.Get(song).version());
  CHECK(recorder.all().back().progress().chunks_done() == 3);
}

TEST_CASE("a chunk's time span is told in minutes, seconds and tenths") {
  Song song;
  song.model_rate_hz = 100;
  song.window = 600;
  song.overlap = 4;
  Job job;
  job.open = song.Open();
  job.model_frames = 6300;
  CHECK(job.DescribeChunk(0) == "chunk 0 (0:00.0 to 0:06.0)");
  // 59.60 s; and never "0:60.0".
  CHECK(job.DescribeChunk(10) == "chunk 10 (0:59.6 to 1:03.0)");
  job.open.set_overlap_frames(1);
  CHECK(job.DescribeChunk(10) == "chunk 10 (0:59.9 to 1:03.0)");
  job.open.set_window_frames(5999);
  job.open.set_overlap_frames(2);
  CHECK(job.DescribeChunk(1) == "chunk 1 (1:00.0 to 1:03.0)");
}

}  // namespace unbraid::assembler
