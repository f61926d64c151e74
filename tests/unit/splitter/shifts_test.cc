// Several passes over a track: what a client may ask for, and where their chunks lie.
#include <catch2/catch.hpp>
#include <limits>
#include <set>

#include "services/common/base/status.h"
#include "services/splitter/canonical.h"
#include "services/splitter/chunk_cutter.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

class ShiftsTest {
 protected:
  ShiftsTest() {
    WritePackage(folder_.path());
    package_ = LoadCatalogue(folder_.path()).default_package();
  }

  absl::StatusOr<Job> Make(const v1::Separation& wanted) {
    return MakeJob("default", wanted, SomeTrack(), package_, "splitter-1");
  }

  test_support::TempDir folder_;
  model::Package package_;
};

TEST_CASE_METHOD(ShiftsTest, "shifts and their seed make another separation, and nothing else") {
  const auto with = [&](int shifts, int64_t seed) {
    v1::Separation wanted;
    wanted.set_shifts(shifts);
    wanted.set_shift_seed(seed);
    return Make(wanted).value();
  };
  // Ids of before there were shifts stay.
  CHECK(with(0, 7).id == Make({})->id);
  CHECK(FingerprintText("o", "t", "m", with(0, 7).open.separation()).find("shift") ==
        std::string::npos);
  CHECK(with(0, 7).open.separation().shift_seed() == 0);
  std::set<int64_t> ids = {Make({})->id.value()};
  for (const int shifts : {1, 2, 16}) {
    for (const int64_t seed : {0, 1, -1}) {
      const Job job = with(shifts, seed);
      CHECK(ids.insert(job.id.value()).second);
      CHECK(job.open.separation().shifts() == shifts);
      CHECK(job.open.separation().shift_seed() == seed);
    }
  }
}

TEST_CASE_METHOD(ShiftsTest, "fewer shifts than none, or too many, are refused with the limit") {
  for (const int shifts : {-1, 17, std::numeric_limits<int>::min()}) {
    v1::Separation wanted;
    wanted.set_shifts(shifts);
    const absl::Status status = Make(wanted).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(base::ReasonOf(status) == "INVALID_SHIFTS");
    CHECK(status.message() == "There can be 1 to 16 shifts, or 0 for none, not " +
                                  std::to_string(shifts) +
                                  "; each is one pass over the whole track.");
  }
}

TEST_CASE("a chunk's place is told as it lies in the track") {
  Job job;
  job.open.set_window_frames(1000);
  job.open.set_overlap_frames(100);
  job.open.set_model_rate_hz(44'100);
  job.prepared.model_frames = 44'100;
  CHECK(*ChunkSpanText(job, 1) == "from 0:00.020 to 0:00.043");
  job.open.mutable_separation()->set_shifts(2);  // 122 and 5048 frames of silence
  CHECK(*ChunkSpanText(job, 0) == "from 0:00.000 to 0:00.019");
  CHECK(*ChunkSpanText(job, 1) == "from 0:00.017 to 0:00.040");
  CHECK(*ChunkSpanText(job, *ChunkCount(job) - 1) == "from 0:00.987 to 0:01.000");
  CHECK_FALSE(ChunkSpanText(job, *ChunkCount(job)).ok());
}

}  // namespace
}  // namespace unbraid::splitter
