#include <catch2/catch.hpp>

#include "services/assembler/space.h"
#include "services/common/base/status.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {

using Catch::Contains;

TEST_CASE("Case 36: a separation that the disk has no room for is refused, and told what lacks") {
  const test_support::TempDir folder;
  Bench bench{folder.path()};
  Song huge;
  huge.frames = int64_t{1} << 45;
  const auto refused = bench.On([&](Engine& e) { return e.Open(kOwner, huge.Open()); });
  CHECK(absl::IsResourceExhausted(refused.status()));
  CHECK(base::ReasonOf(refused.status()) == "DISK_FULL");
  CHECK_THAT(std::string(refused.status().message()), Contains("lacks"));
  CHECK(base::FactsOf(refused.status()).count("missing_bytes") == 1);
  CHECK(absl::IsNotFound(
      bench.On([&](Engine& e) { return e.Get(kOwner, huge.separation_id()); }).status()));
}

TEST_CASE("room that running separations will need is not given away") {
  constexpr int64_t kMega = 1'000'000;
  CHECK(CheckSpace(100 * kMega, 0, 200 * kMega).ok());
  CHECK(absl::IsResourceExhausted(CheckSpace(100 * kMega, 50 * kMega, 200 * kMega)));
  Song song;
  song.frames = 1000;
  song.model_frames = 960;  // 20 chunks
  Job job;
  job.open = song.Open();
  // Four joined stems and five results of 1000 stereo frames.
  CHECK(NeededBytes(job.open) == 9 * 8000);
  CHECK(StillNeededBytes(job) == 9 * 8000);
  job.model_frames = song.model_frames;
  job.chunks = song.chunks();
  job.joined = job.chunks / 2;
  CHECK(StillNeededBytes(job) == 7 * 8000);
}

TEST_CASE("a request that nothing could be made of is refused") {
  Song song;
  auto request = song.Open();
  SECTION("no channels") { request.mutable_track()->set_channels(0); }
  SECTION("no rate") { request.mutable_track()->set_sample_rate_hz(0); }
  SECTION("no frames") { request.mutable_track()->set_frames(0); }
  SECTION("no stems") { request.clear_computed_stems(); }
  SECTION("stems that are not the model's") { request.add_computed_stems(4); }
  SECTION("stems out of order") { request.set_computed_stems(0, 2); }
  SECTION("too much overlap") { request.set_overlap_frames(33); }
  const absl::Status refused = CheckOpen(request);
  CHECK(absl::IsInvalidArgument(refused));
  CHECK(base::ReasonOf(refused) == "BAD_REQUEST");
}

}  // namespace unbraid::assembler
