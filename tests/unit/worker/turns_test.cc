// Which of several models goes next, when not all of them are in memory.
#include <catch2/catch.hpp>

#include "services/worker/chunk_loop.h"
#include "tests/unit/worker/fake_separator.h"

namespace unbraid::worker {
namespace {

Arrival ArrivalOf(size_t model, uint64_t tag, int64_t failures = 0) {
  Arrival arrival;
  arrival.model = model;
  arrival.delivery.tag = {1, tag};
  arrival.delivery.delivery_count = failures;
  return arrival;
}

const Turn kSecondAtHand{{false, true}, absl::InfiniteFuture()};

TEST_CASE("a chunk whose model is at hand goes before one that came earlier") {
  ChunkQueue queue;
  for (const size_t model : {0, 0, 1, 1}) queue.Push(ArrivalOf(model, 10 * model + 1));
  CHECK(queue.Pop(kSecondAtHand).front().model == 1);
  CHECK(queue.Pop(kSecondAtHand).front().model == 1);
  CHECK(queue.Pop(kSecondAtHand).front().model == 0);
}

TEST_CASE("when the turn is over the chunk that came first goes") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(0, 1));
  queue.Push(ArrivalOf(1, 2));
  CHECK(queue.Pop({{false, true}, absl::InfinitePast()}).front().model == 0);
}

TEST_CASE("a chunk that has failed before is let to go last, whatever is at hand") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(1, 1, 1));
  queue.Push(ArrivalOf(0, 2));
  queue.Push(ArrivalOf(1, 3));
  CHECK(queue.Pop(kSecondAtHand).front().delivery.tag.value == 3);
  CHECK(queue.Pop(kSecondAtHand).front().delivery.tag.value == 2);
  CHECK(queue.Pop(kSecondAtHand).front().delivery.tag.value == 1);
}

TEST_CASE("of two that have failed, being at hand does not keep the other one waiting") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(0, 1, 2));
  queue.Push(ArrivalOf(1, 2, 2));
  CHECK(queue.Pop(kSecondAtHand).front().model == 0);
}

class NoBroker : public BrokerLink {
 public:
  void Publish(Outgoing, std::function<void(absl::Status)> done) override {
    done(absl::OkStatus());
  }
  void Ack(size_t, amqp::DeliveryTag tag) override { acked.push_back(tag.value); }
  void Nack(size_t, amqp::DeliveryTag tag, bool requeue) override {
    if (requeue) requeued.push_back(tag.value);
  }

  std::vector<uint64_t> acked;
  std::vector<uint64_t> requeued;
};

// Two models of which one fits, and three chunks of each, which came in turns.
class TurnsTest {
 protected:
  TurnsTest() {
    packages_[1].name = "other";
    for (uint64_t tag = 0; tag < 6; ++tag) {
      Arrival arrival = ArrivalOf(tag % 2, tag);
      arrival.delivery.body = FakeTask(packages_[tag % 2], 2).SerializeAsString();
      queue_.Push(std::move(arrival));
    }
  }

  absl::Status Run(absl::Duration turn) {
    const ChunkLoop::Options options{"worker-1", 1'500'000, turn};
    ChunkLoop loop(options, {&packages_[0], &packages_[1]},
                   {&broker_, &queue_, &cancelled_, &watchdog_, &metrics_});
    const absl::Status loaded = loop.Load(
        [this](const model::Package& package) -> absl::StatusOr<std::unique_ptr<Executor>> {
          if (loads_ == fails_at_) return absl::DataLossError("the graph is another one");
          ++loads_;
          auto separator = std::make_unique<FakeSeparator>(SeparatorFor(package));
          separator->needs.kept_bytes = 1'000'000;
          separator->before = [this] {
            if (++computed_ == 6) queue_.Close();
          };
          return Inline(std::move(separator));
        });
    REQUIRE(loaded.ok());
    return loop.Run();
  }

  std::vector<model::Package> packages_{2, FakePackage(2)};
  NoBroker broker_;
  ChunkQueue queue_;
  CancelBook cancelled_{8};
  Watchdog watchdog_{absl::Hours(1), [] {}};
  telemetry::Metrics figures_;
  WorkerMetrics metrics_{&figures_};
  int computed_ = 0;
  int loads_ = 0;
  int fails_at_ = 1'000;
};

using Tags = std::vector<uint64_t>;

TEST_CASE_METHOD(TurnsTest, "a worker stays with its model while there are chunks for it") {
  REQUIRE(Run(absl::Hours(1)).ok());
  CHECK(broker_.acked == Tags{0, 2, 4, 1, 3, 5});
  CHECK(loads_ == 3);  // two to look at them, one more when the first had no chunks left
}

TEST_CASE_METHOD(TurnsTest, "without turns the chunks go as they came, and models come and go") {
  REQUIRE(Run(absl::ZeroDuration()).ok());
  CHECK(broker_.acked == Tags{0, 1, 2, 3, 4, 5});
  CHECK(loads_ == 7);
}

TEST_CASE_METHOD(TurnsTest,
                 "a model that cannot be loaded again ends the loop, its chunk returned") {
  fails_at_ = 2;
  CHECK(Run(absl::Hours(1)) == absl::DataLossError("the graph is another one"));
  CHECK(broker_.acked == Tags{0, 2, 4});
  CHECK(broker_.requeued == Tags{1});
  CHECK(queue_.TakeAll().size() == 2);
}

}  // namespace
}  // namespace unbraid::worker
