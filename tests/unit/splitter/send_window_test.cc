#include "services/splitter/send_window.h"

#include <catch2/catch.hpp>

#include "services/splitter/waiting_text.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

class SendWindowTest {
 protected:
  int SendWhilePossible() {
    int sent = 0;
    while (*window_.MaySend("m", "assembler-1")) {
      window_.Sent("m");
      window_.Decided("m");
      ++sent;
    }
    return sent;
  }

  FakeDepths depths_;
  absl::Time now_ = absl::UnixEpoch();
  SendWindow window_{&depths_, absl::Milliseconds(200), [this] { return now_; }};
};

TEST_CASE("the window grows with the workers and is never below eight") {
  CHECK(WindowFor(0) == 8);
  CHECK(WindowFor(2) == 8);
  CHECK(WindowFor(3) == 12);
  CHECK(WindowFor(100) == 400);
}

TEST_CASE_METHOD(SendWindowTest, "what was sent since the last look counts as waiting") {
  CHECK(SendWhilePossible() == 8);
  CHECK(depths_.looks() == 1);
}

TEST_CASE_METHOD(SendWindowTest, "a fresh look opens the window by what workers have taken") {
  CHECK(SendWhilePossible() == 8);
  depths_.SetChunks(QueueCounts{6, 1});
  now_ += absl::Milliseconds(250);
  CHECK(SendWhilePossible() == 2);
}

TEST_CASE_METHOD(SendWindowTest, "unconfirmed chunks count even after a fresh look") {
  for (int i = 0; i < 5; ++i) {
    REQUIRE(*window_.MaySend("m", "assembler-1"));
    window_.Sent("m");  // and the broker is silent
  }
  now_ += absl::Milliseconds(250);
  CHECK(SendWhilePossible() == 3);
}

TEST_CASE_METHOD(SendWindowTest, "more workers raise the window") {
  depths_.SetChunks(QueueCounts{8, 4});
  CHECK(SendWhilePossible() == 8);
}

TEST_CASE_METHOD(SendWindowTest, "nothing is sent while the assembler's results pile up") {
  depths_.SetResults(QueueCounts{kMaxWaitingResults + 1, 0});
  CHECK_FALSE(*window_.MaySend("m", "assembler-1"));
  now_ += absl::Milliseconds(250);
  depths_.SetResults(QueueCounts{kMaxWaitingResults, 1});
  CHECK(*window_.MaySend("m", "assembler-1"));
}

TEST_CASE_METHOD(SendWindowTest, "a broker that is away is an error, not an empty queue") {
  depths_.SetChunks(absl::UnavailableError("no broker"));
  const auto may = window_.MaySend("m", "assembler-1");
  CHECK(absl::IsUnavailable(may.status()));
  CHECK(may.status().message() == "no broker");
}

TEST_CASE("Case 23: a model without workers is named") {
  CHECK(WaitingText({true, false, ""}, QueueCounts{3, 0}, "tiny") ==
        "no worker for model tiny is connected");
  CHECK(WaitingText({true, false, ""}, QueueCounts{3, 1}, "tiny").empty());
}

TEST_CASE("Case 28: a broker that is away or blocked is named") {
  CHECK(WaitingText({false, false, "refused"}, QueueCounts{0, 0}, "m") ==
        "the message broker cannot be reached");
  CHECK(WaitingText({true, true, "low on memory"}, QueueCounts{0, 0}, "m") ==
        "the message broker takes no messages: low on memory");
  CHECK(BrokerText({false, false, "refused"}) == "the message broker cannot be reached: refused");
  CHECK(BrokerText({true, false, ""}).empty());
}

}  // namespace
}  // namespace unbraid::splitter
