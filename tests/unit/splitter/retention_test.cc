#include <google/protobuf/util/time_util.h>

#include <catch2/catch.hpp>

#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "services/splitter/job_store.h"
#include "services/splitter/spools.h"
#include "services/splitter/track_store.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

using google::protobuf::util::TimeUtil;

constexpr absl::Duration kDay = absl::Hours(24);
const base::TrackId kTrack(5);

// Tracks that live for a week, in a time that the test makes.
class Week {
 protected:
  Week() { Open(7 * kDay); }

  void Open(absl::Duration retention) {
    tracks_.reset();
    TrackStore::Options options;
    options.retention = retention;
    options.clock = [this] { return now_; };
    tracks_ = *TrackStore::Open(folder_.path(), options);
  }

  v1::Track Add(int64_t id = 5, const std::string& key = "key", const std::string& owner = "me",
                int64_t bytes = 100) {
    v1::Track track;
    track.set_name(base::TrackName(base::TrackId(id)));
    track.set_sha256("00");
    const std::string part = folder_.path() + "/part";
    REQUIRE(store::WriteFileDurably(part, "bytes").ok());
    return *tracks_->Adopt({key, owner, part, bytes}, track);
  }

  absl::Time ExpireTime() {
    return absl::FromUnixMicros(
        TimeUtil::TimestampToMicroseconds(tracks_->Find(kTrack)->expire_time()));
  }

  test_support::TempDir folder_;
  absl::Time now_ = absl::FromUnixSeconds(1'764'000'000);
  std::unique_ptr<TrackStore> tracks_;
};

TEST_CASE_METHOD(Week, "a track has expired a week after its upload") {
  const v1::Track track = Add();
  CHECK(TimeUtil::TimestampToMicroseconds(track.expire_time()) ==
        absl::ToUnixMicros(now_ + 7 * kDay));
  now_ += 7 * kDay - absl::Seconds(1);
  CHECK(tracks_->Expired(10)->empty());
  CHECK_FALSE(*tracks_->DeleteExpired(kTrack));
  now_ += absl::Seconds(1);
  CHECK(*tracks_->Expired(10) == std::vector<base::TrackId>{kTrack});
  CHECK(*tracks_->DeleteExpired(kTrack));
  CHECK(base::ReasonOf(tracks_->Find(kTrack).status()) == "UNKNOWN_TRACK");
  CHECK_FALSE(store::FileSize(tracks_->PathOf(kTrack)).ok());
  CHECK_FALSE(*tracks_->DeleteExpired(kTrack));
}

TEST_CASE_METHOD(Week, "uses put the expiry of a track off, looks do not") {
  Add();
  now_ += 5 * kDay;
  SECTION("the same bytes are uploaded again") {
    CHECK(Add().expire_time().seconds() == absl::ToUnixSeconds(now_ + 7 * kDay));
  }
  SECTION("a separation is created") { REQUIRE(tracks_->Use(kTrack).ok()); }
  CHECK(ExpireTime() == now_ + 7 * kDay);
  const absl::Time before = ExpireTime();
  now_ += kDay;
  (void)tracks_->List({});
  CHECK(ExpireTime() == before);
  now_ += 3 * kDay;
  CHECK(tracks_->Expired(10)->empty());
}

TEST_CASE_METHOD(Week, "a use between the look for expired tracks and their deletion counts") {
  Add();
  now_ += 8 * kDay;
  REQUIRE(tracks_->Expired(10)->size() == 1);
  REQUIRE(tracks_->Use(kTrack).ok());
  CHECK_FALSE(*tracks_->DeleteExpired(kTrack));
  CHECK(tracks_->Find(kTrack).ok());
}

TEST_CASE_METHOD(Week, "the oldest tracks go first") {
  for (const int64_t id : {7, 5, 6}) {
    Add(id);
    now_ += kDay;
  }
  now_ += 7 * kDay;
  CHECK(*tracks_->Expired(2) == std::vector<base::TrackId>{base::TrackId(7), kTrack});
}

TEST_CASE_METHOD(Week, "an unknown track cannot be used") {
  CHECK(absl::IsNotFound(tracks_->Use(kTrack)));
}

TEST_CASE_METHOD(Week, "expiry follows the flag, also for the tracks that are there") {
  Add();
  Open(absl::InfiniteDuration());
  CHECK_FALSE(tracks_->Find(kTrack)->has_expire_time());
  now_ += 1000 * kDay;
  CHECK(tracks_->Expired(10)->empty());
  REQUIRE(tracks_->Use(kTrack).ok());
  Open(kDay);
  CHECK(ExpireTime() == now_ + kDay);
}

TEST_CASE_METHOD(Week, "records of a version without expiry get a whole life") {
  Add();
  tracks_.reset();
  {
    const auto database = store::Database::Open(folder_.path() + "/tracks.db", {"", ""});
    REQUIRE(database.ok());
    REQUIRE((*database)
                ->Execute("DROP INDEX tracks_by_use; ALTER TABLE tracks DROP COLUMN used_us; "
                          "DROP TABLE holders; DROP TABLE unfinished; PRAGMA user_version = 1")
                .ok());
  }
  now_ = absl::Now();
  Open(7 * kDay);
  CHECK(tracks_->Expired(10)->empty());
  CHECK(ExpireTime() > now_ + 6 * kDay);
}

TEST_CASE_METHOD(Week, "who has uploaded a track holds its bytes until it goes") {
  REQUIRE(tracks_->BeginUpload("key", "me").ok());
  CHECK(tracks_->UnfinishedUploads()->at("key") == "me");
  Add();
  CHECK(tracks_->UnfinishedUploads()->empty());
  Add(5, "again", "me");
  Add(5, "other", "you");
  Add(6, "six", "me", 11);
  CHECK(*tracks_->HeldBytes("me") == 111);
  CHECK(*tracks_->HeldBytes("you") == 100);
  REQUIRE(tracks_->Delete(kTrack).ok());
  CHECK(*tracks_->HeldBytes("me") == 11);
  CHECK(*tracks_->HeldBytes("you") == 0);
}

TEST_CASE("jobs need room for their spools until they are prepared") {
  const test_support::TempDir folder;
  const auto jobs = *JobStore::Open(folder.path());
  const auto spools = *Spools::Create(folder.path());
  Job job;
  job.id = base::SeparationId(1);
  *job.open.mutable_track() = SomeTrack(1000, 44'100, 2);
  job.open.set_model_rate_hz(88'200);
  CHECK(SpoolBytes(job.open) == 2000 * 8);
  job.open.mutable_separation()->set_residual(true);
  CHECK(SpoolBytes(job.open) == 3000 * 8);
  CHECK(*jobs->UnpreparedBytes() == 0);
  REQUIRE(jobs->Save(job).ok());
  job.id = base::SeparationId(2);
  job.open.set_model_rate_hz(44'100);
  CHECK(SpoolBytes(job.open) == 1000 * 8);
  REQUIRE(jobs->Save(job).ok());
  CHECK(*jobs->UnpreparedBytes() == 4000 * 8);
  CHECK(*spools.UnfinishedBytes() == 0);
  REQUIRE(store::WriteFileDurably(spools.PathOf(job.id) + ".1.part", "1234").ok());
  REQUIRE(store::WriteFileDurably(spools.PathOf(base::SeparationId(9)), "complete").ok());
  CHECK(*spools.UnfinishedBytes() == 4);
  REQUIRE(jobs->SavePrepared(base::SeparationId(1), 0, {2000, 0, 1}).ok());
  CHECK(*jobs->UnpreparedBytes() == 1000 * 8);
  REQUIRE(jobs->Remove(base::SeparationId(2), 0).ok());
  CHECK(*jobs->UnpreparedBytes() == 0);
}

}  // namespace
}  // namespace unbraid::splitter
