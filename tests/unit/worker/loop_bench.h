#ifndef UNBRAID_TESTS_UNIT_WORKER_LOOP_BENCH_H_
#define UNBRAID_TESTS_UNIT_WORKER_LOOP_BENCH_H_

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/common/telemetry/metrics.h"
#include "services/worker/chunk_loop.h"
#include "tests/unit/worker/fake_separator.h"

namespace unbraid::worker {

// Keeps what is published until a test decides it.
class FakeBroker : public BrokerLink {
 public:
  void Publish(Outgoing result, std::function<void(absl::Status)> done) override {
    published.push_back({std::move(result), std::move(done)});
    if (on_publish) on_publish();
  }
  void Ack(size_t, amqp::DeliveryTag tag) override { acked.push_back(tag.value); }
  void Nack(size_t, amqp::DeliveryTag tag, bool requeue) override {
    (requeue ? requeued : rejected).push_back(tag.value);
  }

  struct Published {
    Outgoing result;
    std::function<void(absl::Status)> done;
  };
  std::vector<Published> published;
  std::function<void()> on_publish;
  std::vector<uint64_t> acked;
  std::vector<uint64_t> requeued;
  std::vector<uint64_t> rejected;
};

using Tags = std::vector<uint64_t>;

// A loop with fakes around it.
struct LoopBench {
  explicit LoopBench(const store::ObjectFolder* objects = nullptr)
      : loop({"worker-1"}, {&package},
             {&broker, &queue, &cancelled, &watchdog, &metrics, objects}) {
    REQUIRE(loop.Load([this](const model::Package&) {
                  auto made = std::make_unique<FakeSeparator>(SeparatorFor(package));
                  separator = made.get();
                  return Inline(std::move(made));
                })
                .ok());
  }

  void Push(uint64_t tag, const std::string& body) {
    Arrival arrival;
    arrival.delivery.body = body;
    arrival.delivery.tag = {1, tag};
    queue.Push(std::move(arrival));
  }
  // Computes `expected` chunks. A closed queue gives nothing, so the last one closes it.
  void Run() {
    separator->before = [this] {
      if (++computed == expected) queue.Close();
    };
    CHECK(loop.Run().ok());
  }

  model::Package package = FakePackage(2);
  FakeBroker broker;
  ChunkQueue queue;
  CancelBook cancelled{8};
  Watchdog watchdog{absl::Hours(1), [] {}};
  telemetry::Metrics figures;
  WorkerMetrics metrics{&figures};
  FakeSeparator* separator = nullptr;
  int computed = 0;
  int expected = 1;
  ChunkLoop loop;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_UNIT_WORKER_LOOP_BENCH_H_
