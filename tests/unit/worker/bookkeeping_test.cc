#include <catch2/catch.hpp>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/worker/cancel_book.h"
#include "services/worker/chunk_queue.h"
#include "services/worker/config.h"
#include "services/worker/settlement.h"
#include "services/worker/watchdog.h"

namespace unbraid::worker {
namespace {

using base::SeparationId;
using Catch::Contains;

TEST_CASE("Case 24: attempts up to the ended one are dropped, a new attempt is not") {
  CancelBook book(8);
  book.Add(SeparationId(5), 2);
  CHECK(book.HasEnded(SeparationId(5), 1));
  CHECK(book.HasEnded(SeparationId(5), 2));
  CHECK_FALSE(book.HasEnded(SeparationId(5), 3));
  CHECK_FALSE(book.HasEnded(SeparationId(6), 1));
}

TEST_CASE("a notice that comes late takes nothing back") {
  CancelBook book(8);
  book.Add(SeparationId(5), 3);
  book.Add(SeparationId(5), 1);
  CHECK(book.HasEnded(SeparationId(5), 3));
}

TEST_CASE("the book forgets the separations that ended longest ago") {
  CancelBook book(2);
  book.Add(SeparationId(1), 1);
  book.Add(SeparationId(2), 1);
  book.Add(SeparationId(1), 1);  // again: the younger one now
  book.Add(SeparationId(3), 1);
  CHECK(book.size() == 2);
  CHECK(book.HasEnded(SeparationId(1), 1));
  CHECK_FALSE(book.HasEnded(SeparationId(2), 1));
  CHECK(book.HasEnded(SeparationId(3), 1));
}

Arrival ArrivalOf(size_t model, uint64_t generation, uint64_t tag) {
  Arrival arrival;
  arrival.model = model;
  arrival.delivery.tag = {generation, tag};
  return arrival;
}

TEST_CASE("chunks of a connection that is gone are dropped when the new one brings some") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(0, 1, 1));
  queue.Push(ArrivalOf(1, 1, 2));
  queue.Push(ArrivalOf(0, 2, 3));
  CHECK(queue.Pop().front().delivery.tag.value == 2);
  CHECK(queue.Pop().front().delivery.tag.value == 3);
  queue.Close();
  CHECK(queue.Pop().empty());
}

// Pushes chunks numbered from 1 whose deliveries failed so often before; gives the order in which
// they come out.
std::vector<uint64_t> OrderOf(const std::vector<int64_t>& failures) {
  ChunkQueue queue;
  for (size_t i = 0; i < failures.size(); ++i) {
    Arrival arrival = ArrivalOf(0, 1, i + 1);
    arrival.delivery.delivery_count = failures[i];
    queue.Push(std::move(arrival));
  }
  std::vector<uint64_t> order;
  for (size_t i = 0; i < failures.size(); ++i)
    order.push_back(queue.Pop().front().delivery.tag.value);
  return order;
}

TEST_CASE("chunks come out as they came in, unless a delivery of theirs has failed") {
  using Order = std::vector<uint64_t>;
  CHECK(OrderOf({0, 0, 0}) == Order{1, 2, 3});
  CHECK(OrderOf({1, 0}) == Order{2, 1});
  CHECK(OrderOf({3, 2, 0}) == Order{3, 2, 1});
}

TEST_CASE("of many chunks that failed once together, the first is not taken before all others") {
  ChunkQueue queue;
  for (uint64_t tag = 1; tag <= 24; ++tag) {
    Arrival arrival = ArrivalOf(0, 1, tag);
    arrival.delivery.delivery_count = 1;
    queue.Push(std::move(arrival));
  }
  queue.Push(ArrivalOf(0, 1, 25));  // a new one besides
  for (int i = 0; i < 24; ++i) CHECK(queue.Pop().front().delivery.tag.value != 1);
  CHECK(queue.Pop().front().delivery.tag.value == 1);
}

TEST_CASE("of two chunks that failed equally often, each goes first every second time") {
  using Order = std::vector<uint64_t>;
  CHECK(OrderOf({1, 1}) == Order{2, 1});
  CHECK(OrderOf({2, 2}) == Order{1, 2});
  CHECK(OrderOf({3, 3}) == Order{2, 1});
}

TEST_CASE("a chunk that has failed waits a moment for one that has not, which goes first") {
  ChunkQueue queue;
  Arrival suspect = ArrivalOf(0, 1, 100);
  suspect.delivery.delivery_count = 1;
  queue.Push(std::move(suspect));
  std::vector<Arrival> first;
  std::thread popping([&] { first = queue.Pop(); });
  queue.Push(ArrivalOf(0, 1, 1));
  popping.join();
  REQUIRE(first.size() == 1);
  CHECK(first.front().delivery.tag.value == 1);
  CHECK(queue.Pop().front().delivery.tag.value == 100);
}

TEST_CASE("a chunk that has failed does not wait for ever behind those that have not") {
  ChunkQueue queue;
  Arrival suspect = ArrivalOf(0, 1, 100);
  suspect.delivery.delivery_count = 1;
  queue.Push(std::move(suspect));
  int before = 0;
  for (uint64_t tag = 1; tag <= 10; ++tag) {
    queue.Push(ArrivalOf(0, 1, tag));
    if (queue.Pop().front().delivery.tag.value == 100) break;
    ++before;
  }
  CHECK(before == 4);
}

TEST_CASE("a closed queue gives nothing to compute, and everything to give back") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(0, 1, 1));
  queue.Close();
  queue.Push(ArrivalOf(0, 1, 2));
  CHECK(queue.Pop().empty());
  CHECK(queue.TakeAll().size() == 2);
  CHECK(queue.TakeAll().empty());
}

TEST_CASE("closing wakes whoever waits for a chunk") {
  ChunkQueue queue;
  std::vector<Arrival> popped(1);
  std::thread waiting([&] { popped = queue.Pop(); });
  queue.Close();
  waiting.join();
  CHECK(popped.empty());
}

TEST_CASE("a chunk is settled once, when its last result is decided") {
  std::vector<absl::Status> outcomes;
  const auto settlement =
      Settlement::Create(3, [&](absl::Status outcome) { outcomes.push_back(std::move(outcome)); });
  settlement->Decide(absl::OkStatus());
  settlement->Decide(absl::OkStatus());
  CHECK(outcomes.empty());
  SECTION("all confirmed") {
    settlement->Decide(absl::OkStatus());
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].ok());
  }
  SECTION("one not") {
    settlement->Decide(absl::UnavailableError("no queue takes it"));
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0] == absl::UnavailableError("no queue takes it"));
  }
}

TEST_CASE("the watchdog barks at what runs too long") {
  absl::Notification barked;
  Watchdog watchdog(absl::Milliseconds(1), [&barked] { barked.Notify(); });
  CHECK(watchdog.Check().ok());
  const Watchdog::Guard guard(&watchdog);
  REQUIRE(barked.WaitForNotificationWithTimeout(absl::Seconds(10)));
  CHECK(watchdog.Check().code() == absl::StatusCode::kDeadlineExceeded);
  CHECK_THAT(std::string(watchdog.Check().message()), Contains("more than 1ms"));
}

TEST_CASE("the watchdog leaves alone what ends in time") {
  absl::Notification barked;
  Watchdog watchdog(absl::Seconds(1), [&barked] { barked.Notify(); });
  for (int i = 0; i < 3; ++i) {
    const Watchdog::Guard guard(&watchdog);
    CHECK(watchdog.Check().ok());
  }
  CHECK_FALSE(barked.WaitForNotificationWithTimeout(absl::Milliseconds(1300)));
  CHECK(watchdog.Check().ok());
}

TEST_CASE("the watchdog gives a load several times the deadline") {
  absl::Notification barked;
  Watchdog watchdog(absl::Milliseconds(20), [&barked] { barked.Notify(); });
  const absl::Time begin = absl::Now();
  const Watchdog::Guard guard(&watchdog, 10);
  REQUIRE(barked.WaitForNotificationWithTimeout(absl::Seconds(10)));
  CHECK(absl::Now() - begin >= absl::Milliseconds(200));
  CHECK_THAT(std::string(watchdog.Check().message()), Contains("more than 200ms"));
}

Config GoodConfig() {
  Config config;
  config.models = "/models";
  config.name = "worker-1";
  return config;
}

TEST_CASE("the configuration is checked, and the flag is named") {
  Config config = GoodConfig();
  CHECK(Validate(config).ok());
  std::string words;
  SECTION("models") {
    config.models = "";
    words = "--models is missing";
  }
  SECTION("threads") {
    config.threads = -1;
    words = "--threads must be 0";
  }
  SECTION("no time at all") {
    config.chunk_deadline = absl::ZeroDuration();
    words = "--chunk-deadline must be above 0";
  }
  SECTION("Case 29: longer than the broker waits for an acknowledgement") {
    config.chunk_deadline = absl::Minutes(30);
    words = "below 30m";
  }
  SECTION("name") {
    config.name = "";
    words = "--name";
  }
  const absl::Status status = Validate(config);
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(status.message()), Contains(words));
}

TEST_CASE("a name is made up and the threads are counted where none are given") {
  const char* arguments[] = {"unbraid-worker", "--models", "/models", "--model", "a",
                             "--model",        "b"};
  Config config;
  CHECK_FALSE(ParseConfig(7, const_cast<char**>(arguments), &config).has_value());
  CHECK_FALSE(config.name.empty());
  CHECK(config.threads >= 1);
  CHECK(config.model_names == std::vector<std::string>{"a", "b"});
}

}  // namespace
}  // namespace unbraid::worker
