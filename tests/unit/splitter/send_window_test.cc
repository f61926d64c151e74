#include "services/splitter/send_window.h"

#include <catch2/catch.hpp>

#include "services/splitter/waiting_text.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

const base::PackageId kModel{"m", std::string(64, 'a')};

class SendWindowTest {
 protected:
  int SendWhilePossible() {
    int sent = 0;
    while (*window_.MaySend(kModel, "assembler-1")) {
      window_.Sent(kModel);
      window_.Decided(kModel);
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
    REQUIRE(*window_.MaySend(kModel, "assembler-1"));
    window_.Sent(kModel);  // and the broker is silent
  }
  now_ += absl::Milliseconds(250);
  CHECK(SendWhilePossible() == 3);
}

TEST_CASE_METHOD(SendWindowTest,
                 "of two looks at once the later one counts, and neither counts twice") {
  CHECK(SendWhilePossible() == 8);
  depths_.SetChunks(QueueCounts{8, 1});
  now_ += absl::Milliseconds(250);
  depths_.on_look = [this] { CHECK_FALSE(*window_.MaySend(kModel, "assembler-1")); };
  CHECK(SendWhilePossible() == 0);
  CHECK(depths_.looks() == 3);
}

TEST_CASE_METHOD(SendWindowTest, "more workers raise the window") {
  depths_.SetChunks(QueueCounts{8, 4});
  CHECK(SendWhilePossible() == 8);
}

TEST_CASE_METHOD(SendWindowTest, "nothing is sent while the assembler's results pile up") {
  depths_.SetResults(QueueCounts{kMaxWaitingResults + 1, 0});
  CHECK_FALSE(*window_.MaySend(kModel, "assembler-1"));
  now_ += absl::Milliseconds(250);
  depths_.SetResults(QueueCounts{kMaxWaitingResults, 1});
  CHECK(*window_.MaySend(kModel, "assembler-1"));
}

TEST_CASE_METHOD(SendWindowTest, "a broker that is away is an error, not an empty queue") {
  depths_.SetChunks(absl::UnavailableError("no broker"));
  const auto may = window_.MaySend(kModel, "assembler-1");
  CHECK(absl::IsUnavailable(may.status()));
  CHECK(may.status().message() == "no broker");
}

TEST_CASE_METHOD(SendWindowTest, "another build of the model has a window of its own") {
  CHECK(SendWhilePossible() == 8);
  CHECK_FALSE(*window_.MaySend(kModel, "assembler-1"));
  CHECK(*window_.MaySend({"m", std::string(64, 'b')}, "assembler-1"));
}

TEST_CASE("Case 23: a model without workers is named") {
  CHECK(WaitingText({true, false, ""}, QueueCounts{3, 0}, kModel, kModel) ==
        "no worker for model m is connected that has package aaaaaaaaaaaaaaaa");
  CHECK(WaitingText({true, false, ""}, QueueCounts{3, 1}, kModel, kModel).empty());
}

TEST_CASE("a model that was replaced or removed since is told, and what can be done") {
  const base::PackageId renewed{"m", std::string(64, 'b')};
  CHECK(WaitingText({true, false, ""}, QueueCounts{3, 0}, kModel, renewed) ==
        "no worker for model m is connected that has package aaaaaaaaaaaaaaaa; the model was "
        "replaced by package bbbbbbbbbbbbbbbb since this separation was created: start a worker "
        "with the older package, or cancel the separation and create it again");
  CHECK(WaitingText({true, false, ""}, QueueCounts{3, 0}, kModel, std::nullopt) ==
        "no worker for model m is connected that has package aaaaaaaaaaaaaaaa; the model was "
        "removed since this separation was created: start a worker that still has it, or cancel "
        "the separation");
  CHECK(WaitingText({true, false, ""}, QueueCounts{3, 1}, kModel, renewed).empty());
}

TEST_CASE("Case 28: a broker that is away or blocked is named") {
  CHECK(WaitingText({false, false, "refused"}, QueueCounts{0, 0}, kModel, kModel) ==
        "the message broker cannot be reached");
  CHECK(WaitingText({true, true, "low on memory"}, QueueCounts{0, 0}, kModel, kModel) ==
        "the message broker takes no messages: low on memory");
  CHECK(BrokerText({false, false, "refused"}) == "the message broker cannot be reached: refused");
  CHECK(BrokerText({true, false, ""}).empty());
}

}  // namespace
}  // namespace unbraid::splitter
