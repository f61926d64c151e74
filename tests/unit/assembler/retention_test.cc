#include <google/protobuf/util/time_util.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>

#include "absl/time/clock.h"
#include "services/common/base/status.h"
#include "services/common/store/database.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using google::protobuf::util::TimeUtil;

constexpr absl::Duration kDay = absl::Hours(24);

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time));
}

// An engine that keeps what has ended for a week, and whose days the test counts.
struct Week {
  Week()
      : bench(folder.path(), [this](Engine::Options* options) {
          options->retention = 7 * kDay;
          options->clock = [this] { return Now(); };
        }) {
    REQUIRE(bench.created.ok());
  }
  absl::Time Now() const { return start + hours.load() * absl::Hours(1); }
  void PassDays(int days) {
    hours += 24 * days;
    bench.On([this](Engine& e) {
      e.Tick(Now(), Now());
      return true;
    });
  }
  absl::StatusOr<v1::Separation> Find(const Song& song) {
    return bench.On([&](Engine& e) { return e.Get(kOwner, song.separation_id()); });
  }
  bool HasFiles(const Song& song) const {
    return std::filesystem::exists(folder.path() + "/separations/" + std::to_string(song.id));
  }

  test_support::TempDir folder;
  const absl::Time start = absl::Now();
  std::atomic<int> hours{0};
  Bench bench;
};

}  // namespace

TEST_CASE("what has succeeded goes a week after its end, with its files") {
  Week week;
  const Song song;
  week.bench.Complete(song);
  const v1::Separation separation = week.bench.Get(song);
  CHECK(ToTime(separation.expire_time()) - ToTime(separation.end_time()) == 7 * kDay);
  Recorder watcher;
  week.bench.Watch(song, &watcher);
  week.PassDays(6);
  CHECK(week.Find(song).ok());
  CHECK(week.HasFiles(song));
  week.PassDays(2);
  CHECK(base::ReasonOf(week.Find(song).status()) == "UNKNOWN_SEPARATION");
  CHECK_FALSE(week.HasFiles(song));
  CHECK(watcher.closed() == 1);
}

TEST_CASE("what has expired can be created again, as a new attempt") {
  Week week;
  const Song song;
  week.bench.Complete(song);
  week.PassDays(8);
  const auto opened = week.bench.On([&](Engine& e) { return e.Open(kOwner, song.Open()); });
  REQUIRE(opened.ok());
  CHECK(opened->started());
  CHECK(opened->attempt() == 2);
  CHECK_FALSE(opened->separation().has_expire_time());
}

TEST_CASE("a use puts the expiry off") {
  Week week;
  const Song song;
  week.bench.Complete(song);
  const base::StemRef stem{song.separation_id(), "vocals"};
  week.PassDays(5);
  SECTION("the same is created again") {
    const auto opened = week.bench.On([&](Engine& e) { return e.Open(kOwner, song.Open()); });
    REQUIRE(opened.ok());
    CHECK_FALSE(opened->started());
    CHECK(ToTime(opened->separation().expire_time()) ==
          absl::FromUnixMicros(absl::ToUnixMicros(week.Now() + 7 * kDay)));
  }
  SECTION("a result is downloaded") {
    CHECK(week.bench.On([&](Engine& e) { return e.FindDownload(kOwner, stem); }).ok());
  }
  SECTION("a result is followed") {
    CHECK(week.bench.On([&](Engine& e) { return e.PlanFollow(kOwner, stem); }).ok());
  }
  week.PassDays(3);
  CHECK(week.Find(song).ok());
  CHECK(week.HasFiles(song));
  week.PassDays(5);
  CHECK(absl::IsNotFound(week.Find(song).status()));
}

TEST_CASE("to look at a separation is no use of it") {
  Week week;
  const Song song;
  week.bench.Complete(song);
  week.PassDays(6);
  REQUIRE(week.Find(song).ok());
  const auto listed =
      week.bench.On([&](Engine& e) { return e.List(kOwner, v1::ListSeparationsRequest()); });
  CHECK(listed->separations(0).expire_time().seconds() == week.Find(song)->expire_time().seconds());
  week.PassDays(2);
  CHECK(absl::IsNotFound(week.Find(song).status()));
}

TEST_CASE("what failed or was cancelled goes too, what runs never does") {
  Week week;
  Song failed;
  Song cancelled;
  Song running;
  cancelled.id = 124;
  running.id = 125;
  week.bench.Begin(failed);
  week.bench.Begin(cancelled);
  week.bench.Begin(running);
  internal::v1::FailSeparationRequest why;
  why.set_separation_id(failed.id);
  why.set_attempt(1);
  why.mutable_failure()->set_reason("TEST");
  REQUIRE(week.bench.On([&](Engine& e) { return e.Fail(why); }).ok());
  REQUIRE(
      week.bench.On([&](Engine& e) { return e.Cancel(kOwner, cancelled.separation_id()); }).ok());
  CHECK(week.Find(failed)->has_expire_time());
  CHECK_FALSE(week.Find(running)->has_expire_time());
  week.PassDays(100);
  CHECK(absl::IsNotFound(week.Find(failed).status()));
  CHECK(absl::IsNotFound(week.Find(cancelled).status()));
  CHECK(week.Find(running)->state() == v1::Separation::STATE_SEPARATING);
  CHECK(week.HasFiles(running));
}

TEST_CASE("many that expire together go in small portions, one at each tick") {
  Week week;
  constexpr int kMany = 10;
  for (int i = 0; i < kMany; ++i) {
    Song song;
    song.id = 200 + i;
    week.bench.Begin(song);
    REQUIRE(week.bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); }).ok());
  }
  const auto left = [&week] {
    return week.bench.On([](Engine& e) { return e.List(kOwner, v1::ListSeparationsRequest()); })
        ->separations_size();
  };
  week.PassDays(8);
  CHECK(left() == 6);
  week.PassDays(0);
  week.PassDays(0);
  CHECK(left() == 0);
}

TEST_CASE("without a retention everything stays") {
  const test_support::TempDir folder;
  Bench bench(folder.path());
  const Song song;
  bench.Complete(song);
  CHECK_FALSE(bench.Get(song).has_expire_time());
  bench.On([](Engine& e) {
    const absl::Time late = absl::Now() + 10'000 * kDay;
    e.Tick(late, late);
    return true;
  });
  CHECK(bench.Get(song).state() == v1::Separation::STATE_SUCCEEDED);
}

TEST_CASE("records of a version without expiry get a whole life") {
  const test_support::TempDir folder;
  const std::string path = folder.path() + "/records.sqlite";
  Song song;
  Job job;
  job.id = song.separation_id();
  job.open = song.Open();
  job.separation.set_state(v1::Separation::STATE_SUCCEEDED);
  REQUIRE((*SeparationStore::Open(path))->Save(job).ok());
  {
    // As that version left it.
    const auto database = store::Database::Open(path, {"", "", "", ""});
    REQUIRE(database.ok());
    REQUIRE((*database)
                ->Execute("DROP INDEX separations_by_use; "
                          "ALTER TABLE separations DROP COLUMN used_us; "
                          "ALTER TABLE deleted DROP COLUMN creation; PRAGMA user_version = 2")
                .ok());
  }
  const auto store = *SeparationStore::Open(path, 7 * kDay);
  CHECK(store->Expired(absl::Now() - kDay, 10)->empty());
  CHECK(*store->Expired(absl::Now() + kDay, 10) == std::vector<base::SeparationId>{job.id});
  CHECK(ToTime(store->Load(job.id)->separation.expire_time()) > absl::Now() + 6 * kDay);
}

TEST_CASE("a separation that would leave less than the minimum on the disk is refused") {
  const test_support::TempDir folder;
  Bench bench(folder.path(),
              [](Engine::Options* options) { options->min_free_bytes = int64_t{1} << 60; });
  const auto refused = bench.On([&](Engine& e) { return e.Open(kOwner, Song().Open()); });
  CHECK(base::ReasonOf(refused.status()) == "DISK_FULL");
  CHECK(std::stoll(base::FactsOf(refused.status())["missing_bytes"]) > int64_t{1} << 59);
}

}  // namespace unbraid::assembler
