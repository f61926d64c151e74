#include <signal.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/integration/worker/stand.h"
#include "tests/integration/worker/steps.h"

namespace unbraid::worker {
namespace {

using internal::v1::ChunkTask;

// A batch waits for as many chunks as it may have, so that the test says what is in it.
std::vector<std::string> Batches(const std::string& size) {
  return {"--batch", size, "--batch-wait", "10s"};
}

TEST_CASE("a batch holds chunks of several separations, and what has ended or fails leaves it") {
  Stand stand(TestModelsFolder() + "/moody");
  const auto worker = StartMoody(stand, Batches("4"));
  ChunkTask ended = stand.Task(9, 2, kAtOnce);
  ended.set_separation_id(78);
  stand.Cancel(78, 1);
  ChunkTask other = stand.Task(1, 1, kAtOnce);
  other.set_separation_id(79);
  stand.Send(stand.Task(0, 2, -8.0F));  // an exception, for whoever is in its batch
  stand.Send(other);
  stand.Send(ended);
  stand.Send(stand.Task(2, 2, kAtOnce));
  REQUIRE(stand.AwaitChunks(3));
  const Stand::Results results = stand.results();
  CHECK(results.at({0, -1}).failure().reason() == "MODEL_ERROR");
  CHECK(results.at({1, 1}).separation_id() == 79);
  CHECK(results.at({2, 0}).stem().channels() == 2);
  CHECK(results.size() == 5);
  CheckMetric(worker.get(), "unbraid_worker_batch_chunks_sum 3");
  CheckMetric(worker.get(), "unbraid_worker_batch_chunks_count 1");
  CheckMetric(worker.get(), "unbraid_worker_chunks_total{result=\"cancelled\"} 1");
  CheckMetric(worker.get(), "unbraid_worker_device{device=\"cpu\",title=\"CPU\"} 1");
  CHECK(End(worker.get()) == 0);
  CHECK(stand.Ready(stand.queue()) == 0);
}

TEST_CASE(
    "the chunks of a batch whose worker is killed come to another one, which takes each alone") {
  Stand stand(TestModelsFolder() + "/moody");
  const auto first = StartMoody(stand, Batches("3"));
  stand.Send(stand.Task(0, 2, kAWhile));  // the whole batch's mood
  stand.Send(stand.Task(1, 2, kAtOnce));
  stand.Send(stand.Task(2, 2, kAtOnce));
  CheckMetric(first.get(), "unbraid_worker_batch_chunks_sum 3");
  REQUIRE(first->process().Signal(SIGKILL).ok());
  const auto second = StartMoody(stand, Batches("3"));
  REQUIRE(stand.AwaitChunks(3));
  CheckStems(stand, 3, kMoodyFractions);
  CheckMetric(second.get(), "unbraid_worker_batch_chunks_count 3");
  CHECK(End(second.get()) == 0);
  CHECK(stand.Ready(stand.queue()) == 0);
}

TEST_CASE("SIGTERM: a batch that is computed is finished, one that waits is given back, exit 0") {
  Stand stand(TestModelsFolder() + "/moody");
  const auto worker = StartMoody(stand, Batches("2"));
  stand.Send(stand.Task(0, 2, kAWhile));
  stand.Send(stand.Task(1, 2, kAtOnce));
  CheckMetric(worker.get(), "unbraid_worker_busy 1");
  stand.Send(stand.Task(2, 2, kForEver));
  CHECK(End(worker.get()) == 0);
  REQUIRE(stand.AwaitChunks(2));
  CheckStems(stand, 2, kMoodyFractions);
  CHECK(stand.AwaitReady(stand.queue(), 1));
}

}  // namespace
}  // namespace unbraid::worker
