#include <signal.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "services/common/amqp/topology.h"
#include "tests/component/worker/packages.h"
#include "tests/integration/worker/stand.h"
#include "tests/integration/worker/steps.h"
#include "tests/integration/worker/worker_process.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;
using internal::v1::ChunkTask;

TEST_CASE("chunks come back as stems, mono and stereo, and everything is acknowledged") {
  Stand stand(ModelsFolder() + "/passthrough");
  const auto worker = StartWorker(stand, {"--name", "worker-7"}, ModelsFolder());
  for (int64_t chunk = 0; chunk < 4; ++chunk) {
    stand.Send(stand.Task(chunk, chunk % 2 == 0 ? 2 : 1, kAtOnce));
  }
  REQUIRE(stand.AwaitChunks(4));
  CheckStems(stand, 4, {0.5F, 0.25F, 0.125F, 0.125F});
  CHECK(stand.results().begin()->second.worker() == "worker-7");
  CHECK(worker->Get("/healthz").ok());
  CheckMetric(worker.get(), "unbraid_worker_chunks_total{result=\"computed\"} 4");
  CheckMetric(worker.get(), "unbraid_worker_busy 0");
  CHECK(End(worker.get()) == 0);
  CHECK(stand.Ready(stand.queue()) == 0);
  CHECK_THAT(worker->Log(), Contains("\"service\":\"worker-7\""));
  CHECK_THAT(worker->Log(), Contains("\"message\":\"chunk computed\",\"separation\":\"77\""));
}

TEST_CASE("failures are reported, what is no task is set aside, what has ended is dropped") {
  Stand stand(TestModelsFolder() + "/moody");
  const auto worker = StartMoody(stand, {});
  ChunkTask other_build = stand.Task(1, 2, kAtOnce);
  other_build.set_model_sha256("0000");
  ChunkTask ended = stand.Task(9, 2, kAtOnce);
  ended.set_separation_id(78);
  stand.Cancel(78, 1);
  stand.SendBody("\xff no task");
  stand.Send(stand.Task(0, 2, -8.0F));
  stand.Send(other_build);
  stand.Send(stand.Task(2, 2, -16.0F));
  stand.Send(ended);
  stand.Send(stand.Task(3, 2, kAtOnce));
  REQUIRE(stand.AwaitChunks(4));
  const Stand::Results results = stand.results();
  CHECK(results.at({0, -1}).failure().reason() == "MODEL_ERROR");
  CHECK_THAT(results.at({0, -1}).failure().message(), Contains("in a bad mood"));
  CHECK(results.at({1, -1}).failure().reason() == "MODEL_MISMATCH");
  CHECK(results.at({2, -1}).failure().reason() == "NON_FINITE_RESULT");
  CHECK(results.count({3, 1}) == 1);
  CHECK(results.count({9, 0}) == 0);
  CHECK(stand.AwaitReady(amqp::kDeadChunksQueue, 1));
  CheckMetric(worker.get(), "unbraid_worker_chunks_total{result=\"cancelled\"} 1");
  CheckMetric(worker.get(), "unbraid_worker_chunks_total{result=\"rejected\"} 1");
  CHECK(End(worker.get()) == 0);
}

TEST_CASE("a chunk of a killed worker comes to another one, with the same bits") {
  Stand stand(TestModelsFolder() + "/moody");
  const auto first = StartMoody(stand, {});
  for (int64_t chunk = 0; chunk < 3; ++chunk) stand.Send(stand.Task(chunk, 2, kAWhile));
  CheckMetric(first.get(), "unbraid_worker_busy 1");
  REQUIRE(first->process().Signal(SIGKILL).ok());
  const auto second = StartMoody(stand, {});
  REQUIRE(stand.AwaitChunks(3));
  CheckStems(stand, 3, kMoodyFractions);
  CHECK(End(second.get()) == 0);
  CHECK(stand.Ready(stand.queue()) == 0);
}

TEST_CASE("SIGTERM: the chunk in hand is finished, the next one given back, exit 0") {
  Stand stand(TestModelsFolder() + "/moody");
  const auto worker = StartMoody(stand, {});
  stand.Send(stand.Task(0, 2, kAWhile));
  CheckMetric(worker.get(), "unbraid_worker_busy 1");
  stand.Send(stand.Task(1, 2, kForEver));
  stand.Send(stand.Task(2, 2, kForEver));
  // One is computed, one waits in the worker, one in the queue.
  REQUIRE(stand.AwaitReady(stand.queue(), 1));
  CHECK(End(worker.get()) == 0);
  REQUIRE(stand.AwaitChunks(1));
  CheckStems(stand, 1, kMoodyFractions);
  CHECK(stand.AwaitReady(stand.queue(), 2));
}

TEST_CASE("SIGTERM: a chunk that takes longer than the grace period is given back, exit 0") {
  Stand stand(TestModelsFolder() + "/moody");
  const auto worker = StartMoody(stand, {"--grace", "100ms"});
  stand.Send(stand.Task(0, 2, kForEver));
  CheckMetric(worker.get(), "unbraid_worker_busy 1");
  CHECK(End(worker.get()) == 0);
  CHECK(stand.AwaitReady(stand.queue(), 1));
  CHECK_THAT(worker->Log(), Contains("the grace period is over"));
}

TEST_CASE("a hung model ends the process, and its chunk is free again") {
  Stand stand(TestModelsFolder() + "/moody");
  const auto worker = StartMoody(stand, {"--chunk-deadline", "5s"});
  stand.Send(stand.Task(0, 2, kForEver));
  const absl::StatusOr<int> exit = worker->process().Wait(kExitPatience);
  REQUIRE(exit.ok());
  CHECK(*exit == 70);
  CHECK(stand.AwaitReady(stand.queue(), 1));
  CHECK_THAT(worker->Log(), Contains("the model has hung"));
}

TEST_CASE("a broker that restarts in the middle of a chunk costs no chunk") {
  Stand stand(TestModelsFolder() + "/moody");
  const auto worker = StartMoody(stand, {});
  for (int64_t chunk = 0; chunk < 3; ++chunk) stand.Send(stand.Task(chunk, 2, kAWhile));
  CheckMetric(worker.get(), "unbraid_worker_busy 1");
  REQUIRE(stand.broker().Kill().ok());
  CHECK(worker->AwaitUnready().ok());
  CHECK(worker->Get("/healthz").ok());
  REQUIRE(stand.broker().Run().ok());
  REQUIRE(stand.AwaitChunks(3));
  CheckStems(stand, 3, kMoodyFractions);
  CHECK(worker->AwaitReady().ok());
  CHECK(End(worker.get()) == 0);
}

TEST_CASE("Case 20: memory does not grow from song to song") {
  Stand stand(ModelsFolder() + "/passthrough");
  const auto worker = StartWorker(stand, {}, ModelsFolder());
  const auto send = [&stand](int64_t from, int64_t to) {
    for (int64_t chunk = from; chunk < to; ++chunk) stand.Send(stand.Task(chunk % 8, 2, kAtOnce));
  };
  send(0, 40);
  CheckMetric(worker.get(), "unbraid_worker_chunks_total{result=\"computed\"} 40");
  const int64_t before = worker->ResidentBytes();
  send(40, 200);
  CheckMetric(worker.get(), "unbraid_worker_chunks_total{result=\"computed\"} 200");
  const int64_t after = worker->ResidentBytes();
  CAPTURE(before, after);
  // 160 chunks carried over 1 GiB; what stays varies by less than two chunks' buffers.
  CHECK(after - before < (32 << 20));
  CHECK(End(worker.get()) == 0);
}

// How often a worker has loaded a package.
int Loads(WorkerProcess* worker, const base::PackageId& package) {
  const absl::StatusOr<std::string> figures = worker->Get("/metrics");
  REQUIRE(figures.ok());
  const std::string line = "unbraid_worker_model_loads_total{model=\"" + package.name +
                           "\",package=\"" + package.short_hash() + "\"} ";
  const size_t place = figures->find(line);
  REQUIRE(place != std::string::npos);
  return std::stoi(figures->substr(place + line.size()));
}

TEST_CASE("one worker serves two models of which only one fits into its memory") {
  Stand stand(TestModelsFolder() + "/heavy");
  const auto other = model::LoadPackage(TestModelsFolder() + "/heavier");
  REQUIRE(other.ok());
  constexpr int kEach = 8;
  for (int64_t chunk = 0; chunk < kEach; ++chunk) {
    stand.Send(stand.Task(chunk, 2, kAtOnce));
    stand.SendTo(*other, stand.Task(kEach + chunk, 2, kAtOnce));
  }
  const auto worker = StartMoody(stand, {"--model", "heavier", "--model-memory-mb", "7"});
  REQUIRE(stand.AwaitChunks(2 * kEach));
  CheckStems(stand, 2 * kEach, kMoodyFractions);
  CHECK(stand.AwaitReady(stand.queue(), 0));
  CHECK(stand.AwaitReady(amqp::ChunkQueue(other->id()), 0));
  const int loads = Loads(worker.get(), stand.package().id()) + Loads(worker.get(), other->id());
  CAPTURE(loads);
  // Two to look at them and one for the second's chunks; in turns, as they came, it were 17. On a
  // machine that stands still for a moment a queue may seem empty.
  CHECK(loads >= 3);
  CHECK(loads <= 9);
  CHECK(End(worker.get()) == 0);
}

TEST_CASE(
    "a model that cannot be loaded, or needs too much memory, or a GPU that is not there ends the "
    "worker with an error") {
  Stand stand(TestModelsFolder() + "/heavy");
  for (const auto& [model, device, words] : std::vector<std::array<const char*, 3>>{
           {"wrong_shape", "cpu", "the model gave Float of shape [1, 2, 2, 4095]"},
           {"heavy", "cpu", "model heavy needs 5 MB, more than --model-memory-mb 3 allows"},
           {"heavy", "cuda:1000", "--device cuda:1000: "}}) {
    auto worker =
        WorkerProcess::Start(stand.broker(), {"--models", TestModelsFolder(), "--model", model,
                                              "--device", device, "--model-memory-mb", "3"});
    REQUIRE(worker.ok());
    const absl::StatusOr<int> exit = (*worker)->process().Wait(kExitPatience);
    REQUIRE(exit.ok());
    CHECK(*exit == 1);
    CHECK_THAT((*worker)->Log(), Contains(words));
  }
}

}  // namespace
}  // namespace unbraid::worker
