// Batches in the loop, on a fake device: whose chunks they hold, how they end, what trouble does.
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "absl/synchronization/notification.h"
#include "services/worker/chunk_loop.h"
#include "tests/unit/worker/fake_executor.h"
#include "tests/unit/worker/fake_separator.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;
using internal::v1::ChunkResult;
using internal::v1::ChunkTask;
using Sizes = std::vector<int>;
using Step = FakeExecutor::Step;
using Tags = std::vector<uint64_t>;

// Confirms everything at once.
class FakeBroker : public BrokerLink {
 public:
  void Publish(Outgoing result, std::function<void(absl::Status)> done) override {
    REQUIRE(results[result.message_id].ParseFromString(result.body));
    done(absl::OkStatus());
  }
  void Ack(size_t, amqp::DeliveryTag tag) override { Settle(tag, &acked); }
  void Nack(size_t, amqp::DeliveryTag tag, bool requeue) override {
    Settle(tag, requeue ? &requeued : &rejected);
  }

  std::function<void()> on_settled;
  std::map<std::string, ChunkResult> results;
  Tags acked;
  Tags requeued;
  Tags rejected;

 private:
  void Settle(amqp::DeliveryTag tag, Tags* where) {
    where->push_back(tag.value);
    on_settled();
  }
};

class BatchLoopTest {
 protected:
  BatchLoopTest() {
    packages_[1].name = "other";
    for (auto& device : owned_) {
      device = std::make_unique<FakeExecutor>(Geometry{2, kWindow, 2});
      devices_.push_back(device.get());
    }
    broker_.on_settled = [this] {
      if (--open_ == 0) queue_.Close();
    };
  }

  // A chunk of a separation; its number is its tag, `first` the first sample of its window.
  void Push(uint64_t tag, int64_t separation, float first = 0.5F, int64_t failures = 0,
            size_t model = 0) {
    ChunkTask task = FakeTask(packages_[model], 2, static_cast<uint32_t>(tag));
    task.set_separation_id(separation);
    task.set_chunk_index(static_cast<int64_t>(tag));
    std::vector<float> samples = SamplesOf(task.samples());
    samples[0] = first;
    SetSamples(samples, &task);
    Arrival arrival;
    arrival.model = model;
    arrival.delivery.body = task.SerializeAsString();
    arrival.delivery.tag = {1, tag};
    arrival.delivery.delivery_count = failures;
    queue_.Push(std::move(arrival));
    ++open_;
  }

  void Load(int batch) {
    ChunkLoop::Options options;
    options.worker = "worker-1";
    options.batch = batch;
    options.memory_pause = absl::Milliseconds(1);
    loop_ = std::make_unique<ChunkLoop>(
        options, std::vector<const model::Package*>{&packages_[0], &packages_[1]},
        ChunkLoop::Parts{&broker_, &queue_, &cancelled_, &watchdog_, &metrics_});
    const absl::Status loaded = loop_->Load(
        [this](const model::Package& package) -> absl::StatusOr<std::unique_ptr<Executor>> {
          return std::move(owned_[package.name == "other" ? 1 : 0]);
        });
    REQUIRE(loaded.ok());
    for (FakeExecutor* device : devices_) device->sizes.clear();
  }

  // What became of a chunk: its first stem's first sample, or the reason of its failure.
  std::string FateOf(const std::string& chunk) const {
    const auto failure = broker_.results.find(chunk + ".failure");
    if (failure != broker_.results.end()) return failure->second.failure().reason();
    const auto stem = broker_.results.find(chunk + ".0");
    if (stem == broker_.results.end()) return "nothing";
    return absl::StrCat(SamplesOf(stem->second.stem().samples()).front());
  }

  std::vector<model::Package> packages_{2, FakePackage(2)};
  std::array<std::unique_ptr<FakeExecutor>, 2> owned_;  // until the loop has them
  std::vector<FakeExecutor*> devices_;
  FakeBroker broker_;
  ChunkQueue queue_;
  CancelBook cancelled_{8};
  Watchdog watchdog_{absl::Hours(1), [] {}};
  telemetry::Metrics figures_;
  WorkerMetrics metrics_{&figures_};
  std::atomic<int> open_ = 0;  // chunks that nothing has become of; the last one closes the queue
  std::unique_ptr<ChunkLoop> loop_;
};

TEST_CASE_METHOD(BatchLoopTest, "chunks of several separations share a batch, each with its end") {
  Load(4);
  for (uint64_t tag = 1; tag <= 6; ++tag) {
    Push(tag, static_cast<int64_t>(100 + tag % 2), 0.125F * static_cast<float>(tag));
  }
  REQUIRE(loop_->Run().ok());
  CHECK(devices_[0]->sizes == Sizes{4, 2});
  CHECK(broker_.acked == Tags{1, 2, 3, 4, 5, 6});
  CHECK(broker_.results.size() == 12);
  CHECK(FateOf("101.2.1") == "0.125");
  CHECK(FateOf("100.2.6") == "0.75");
  CHECK_THAT(figures_.Render(), Contains("unbraid_worker_batch_chunks_count 2"));
  CHECK_THAT(figures_.Render(), Contains("unbraid_worker_batch_chunks_sum 6"));
}

TEST_CASE_METHOD(BatchLoopTest, "the next batch is on the device before the first one has ended") {
  Load(2);
  for (uint64_t tag = 1; tag <= 20; ++tag) Push(tag, 1);
  REQUIRE(loop_->Run().ok());
  CHECK(devices_[0]->now < 20 * (1 + 4 + 2));
  CHECK(devices_[0]->now >= 20 * 4);
  CHECK(broker_.acked.size() == 20);
}

TEST_CASE_METHOD(BatchLoopTest,
                 "Case 24: what has ended is dropped, the rest of its batch goes on") {
  Load(4);
  cancelled_.Add(base::SeparationId(7), 2);
  Push(1, 6);
  Push(2, 7);
  Push(3, 8);
  REQUIRE(loop_->Run().ok());
  CHECK(devices_[0]->sizes == Sizes{2});
  CHECK(broker_.acked == Tags{2, 1, 3});
  CHECK(FateOf("7.2.2") == "nothing");
  CHECK(FateOf("8.2.3") == "0.5");
}

TEST_CASE_METHOD(BatchLoopTest, "a chunk that makes the model fail fails alone") {
  Load(4);
  devices_[0]->trouble = [](Step step, int windows, float first) {
    const bool bad = step == Step::kCompute && (first == -8.0F || windows > 1);
    return bad ? absl::InternalError("bad mood") : absl::OkStatus();
  };
  Push(1, 1);
  Push(2, 1, -8.0F);
  Push(3, 1);
  REQUIRE(loop_->Run().ok());
  CHECK(FateOf("1.2.1") == "0.5");
  CHECK(FateOf("1.2.2") == "MODEL_ERROR");
  CHECK(FateOf("1.2.3") == "0.5");
  CHECK(broker_.acked == Tags{1, 2, 3});
}

TEST_CASE_METHOD(BatchLoopTest, "a chunk whose result is not finite fails alone") {
  Load(4);
  Push(1, 1);
  Push(2, 1, 3e38F);  // twice as much is no float
  Push(3, 1);
  REQUIRE(loop_->Run().ok());
  CHECK(devices_[0]->sizes == Sizes{3});
  CHECK(FateOf("1.2.2") == "NON_FINITE_RESULT");
  CHECK(FateOf("1.2.3") == "0.5");
}

TEST_CASE_METHOD(BatchLoopTest,
                 "a chunk that may end the process is computed alone, nothing else on the device") {
  Load(4);
  int on_device = 0;
  devices_[0]->trouble = [&](Step step, int, float first) {
    on_device += step == Step::kUpload ? 1 : step == Step::kAwait ? -1 : 0;
    if (first == -32.0F && step != Step::kAwait) CHECK(on_device == 1);
    return absl::OkStatus();
  };
  Push(1, 1, -32.0F, /*failures=*/1);
  for (uint64_t tag = 2; tag <= 7; ++tag) Push(tag, 1);
  REQUIRE(loop_->Run().ok());
  CHECK(devices_[0]->sizes == Sizes{4, 2, 1});
  CHECK(broker_.acked == Tags{2, 3, 4, 5, 6, 7, 1});
}

TEST_CASE_METHOD(BatchLoopTest, "a batch holds chunks of one model, and models take turns") {
  Load(4);
  for (uint64_t tag = 1; tag <= 6; ++tag) Push(tag, 1, 0.5F, 0, tag % 2);
  REQUIRE(loop_->Run().ok());
  CHECK(devices_[0]->sizes == Sizes{3});
  CHECK(devices_[1]->sizes == Sizes{3});
  CHECK(broker_.acked == Tags{1, 3, 5, 2, 4, 6});
}

TEST_CASE_METHOD(BatchLoopTest, "memory that does not do for a batch makes the next ones smaller") {
  Load(8);
  devices_[0]->room = 4;
  for (uint64_t tag = 1; tag <= 16; ++tag) Push(tag, 1);
  REQUIRE(loop_->Run().ok());
  CHECK(broker_.acked.size() == 16);
  CHECK(broker_.requeued.empty());
  for (const int size : devices_[0]->sizes) CHECK(size <= 4);
  CHECK_THAT(figures_.Render(), !Contains("unbraid_worker_out_of_memory_total 0"));
}

TEST_CASE_METHOD(BatchLoopTest, "memory that does not do for one chunk: given back, for a while") {
  Load(2);
  devices_[0]->room = 0;
  for (uint64_t tag = 1; tag <= 8; ++tag) Push(tag, 1);
  absl::Status while_starved;
  devices_[0]->trouble = [&](Step step, int, float) {
    // There is room again when the first two batches have been given back.
    if (broker_.requeued.size() == 4 && step == Step::kUpload && devices_[0]->room == 0) {
      while_starved = loop_->Ready();
      devices_[0]->room = 9;
    }
    return absl::OkStatus();
  };
  REQUIRE(loop_->Run().ok());
  CHECK(broker_.requeued == Tags{1, 2, 3, 4});
  CHECK(broker_.acked == Tags{5, 6, 7, 8});
  CHECK(absl::IsUnavailable(while_starved));
  CHECK_THAT(std::string(while_starved.message()), Contains("does not do for one chunk"));
  CHECK(loop_->Ready().ok());
  CHECK_THAT(figures_.Render(), Contains("unbraid_worker_chunks_total{result=\"returned\"} 4"));
}

TEST_CASE_METHOD(BatchLoopTest, "memory that does not do for long ends the loop") {
  Load(2);
  devices_[0]->room = 0;
  for (uint64_t tag = 1; tag <= 9; ++tag) Push(tag, 1);
  CHECK(loop_->Run() == absl::ResourceExhaustedError("no room for 1"));
  CHECK(broker_.acked.empty());
  // Three times: two and what was begun beside them, and then one by one.
  CHECK(broker_.requeued == Tags{1, 2, 3, 4, 5});
  queue_.Close();
  CHECK(queue_.TakeAll().size() == 4);
}

TEST_CASE_METHOD(BatchLoopTest, "a lost device ends the loop, its chunks left to the broker") {
  Load(2);
  devices_[0]->trouble = [](Step step, int, float) {
    return step == Step::kAwait ? absl::UnavailableError("CUDA error: an illegal memory access")
                                : absl::OkStatus();
  };
  for (uint64_t tag = 1; tag <= 5; ++tag) Push(tag, 1);
  CHECK(loop_->Run() == absl::UnavailableError("CUDA error: an illegal memory access"));
  // Neither acknowledged nor given back: the broker counts a failed delivery for them.
  CHECK(broker_.acked.empty());
  CHECK(broker_.requeued.empty());
  CHECK(broker_.results.empty());
}

TEST_CASE_METHOD(BatchLoopTest,
                 "whatever is on the device is given back when it is not waited for") {
  Load(2);
  absl::Notification computing;
  absl::Notification go_on;
  devices_[0]->trouble = [&](Step step, int, float) {
    if (step == Step::kAwait && !computing.HasBeenNotified()) {
      computing.Notify();
      go_on.WaitForNotification();
    }
    return absl::OkStatus();
  };
  for (uint64_t tag = 1; tag <= 4; ++tag) Push(tag, 1);
  std::thread inference([this] { CHECK(loop_->Run().ok()); });
  computing.WaitForNotification();
  loop_->GiveBackCurrent();
  CHECK(broker_.requeued == Tags{1, 2, 3, 4});
  go_on.Notify();
  inference.join();
}

}  // namespace
}  // namespace unbraid::worker
