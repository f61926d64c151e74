#include "services/splitter/cancel_notices.h"

#include <catch2/catch.hpp>

#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

const base::PackageId kTiny{"tiny", "0"};

class CancelNoticesTest {
 protected:
  void Look(int64_t ready, int64_t consumers, absl::Duration later = absl::ZeroDuration()) {
    now_ += later;
    notices_.Tick(kTiny, QueueCounts{ready, consumers}, now_);
  }
  size_t sent() const { return sink_.cancels().size(); }

  FakeSink sink_;
  CancelNotices notices_{&sink_};
  absl::Time now_ = absl::FromUnixSeconds(1'000);
};

TEST_CASE_METHOD(CancelNoticesTest,
                 "a notice is sent at once, and not again once the queue is empty") {
  notices_.Add(base::SeparationId(7), 2, kTiny, now_);
  REQUIRE(sent() == 1);
  CHECK(sink_.cancels().front().separation_id() == 7);
  CHECK(sink_.cancels().front().attempt() == 2);
  Look(0, 1, absl::Seconds(1));
  CHECK(notices_.packages().empty());
  Look(5, 2, absl::Hours(1));
  CHECK(sent() == 1);
}

TEST_CASE_METHOD(CancelNoticesTest, "a look that may be older than the last chunk does not count") {
  notices_.Add(base::SeparationId(7), 1, kTiny, now_);
  Look(0, 0, absl::Milliseconds(200));
  CHECK(notices_.packages() == std::set<base::PackageId>{kTiny});
}

TEST_CASE_METHOD(CancelNoticesTest, "workers that come hear of what ended before") {
  notices_.Add(base::SeparationId(7), 1, kTiny, now_);
  Look(8, 0, absl::Milliseconds(500));
  REQUIRE(sent() == 1);
  Look(8, 1, absl::Milliseconds(100));
  CHECK(sent() == 2);
  Look(8, 1, absl::Milliseconds(100));
  CHECK(sent() == 2);
  Look(8, 2, absl::Milliseconds(100));
  CHECK(sent() == 3);
}

TEST_CASE_METHOD(CancelNoticesTest, "a notice is repeated ever more seldom while chunks wait") {
  notices_.Add(base::SeparationId(7), 1, kTiny, now_);
  for (int second = 0; second < 300; ++second) Look(8, 0, absl::Seconds(1));
  CHECK(sent() > 8);
  CHECK(sent() < 20);
}

TEST_CASE_METHOD(CancelNoticesTest,
                 "while the broker is away or blocked nothing is sent, and then at once") {
  const bool blocked = GENERATE(false, true);
  sink_.SetState({blocked, blocked, "away"});
  notices_.Add(base::SeparationId(7), 1, kTiny, now_);
  Look(8, 0, absl::Seconds(60));
  CHECK(sent() == 0);
  sink_.SetState({true, false, ""});
  notices_.Tick(kTiny, absl::UnavailableError("no look yet"), now_);
  CHECK(sent() == 0);
  Look(8, 0);
  CHECK(sent() == 1);
}

TEST_CASE_METHOD(CancelNoticesTest, "a look at one model's queue says nothing of another's") {
  notices_.Add(base::SeparationId(7), 1, kTiny, now_);
  notices_.Tick({"huge", "0"}, QueueCounts{0, 3}, now_ + absl::Seconds(10));
  CHECK(sent() == 1);
  CHECK(notices_.packages() == std::set<base::PackageId>{kTiny});
}

}  // namespace
}  // namespace unbraid::splitter
