#include "services/worker/chunk_loop.h"

#include <catch2/catch.hpp>
#include <thread>

#include "absl/synchronization/notification.h"
#include "tests/unit/worker/loop_bench.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;
using internal::v1::ChunkResult;
using internal::v1::ChunkTask;

TEST_CASE("a chunk is acknowledged only when all its results are confirmed") {
  LoopBench bench;
  const ChunkTask task = FakeTask(bench.package, 2);
  bench.Push(11, task.SerializeAsString());
  bench.Run();
  REQUIRE(bench.broker.published.size() == 2);
  CHECK(bench.broker.published[0].result.assembler == "assembler-1");
  CHECK(bench.broker.published[0].result.message_id == "456.2.3.0");
  CHECK(bench.broker.published[1].result.message_id == "456.2.3.1");
  ChunkResult result;
  REQUIRE(result.ParseFromString(bench.broker.published[0].result.body));
  CHECK(result.stem().samples() == task.samples());

  CHECK_FALSE(bench.loop.AwaitSettled(absl::ZeroDuration()));
  bench.broker.published[1].done(absl::OkStatus());
  CHECK(bench.broker.acked.empty());
  bench.broker.published[0].done(absl::OkStatus());
  CHECK(bench.broker.acked == Tags{11});
  CHECK(bench.loop.AwaitSettled(absl::ZeroDuration()));
  CHECK_THAT(bench.figures.Render(),
             Contains("unbraid_worker_chunks_total{result=\"computed\"} 1"));
}

TEST_CASE("the next chunk is computed while the results of the first are on their way") {
  LoopBench bench;
  bench.expected = 2;
  bench.Push(1, FakeTask(bench.package, 2).SerializeAsString());
  bench.Push(2, FakeTask(bench.package, 2).SerializeAsString());
  bench.Run();
  CHECK(bench.broker.published.size() == 4);
  CHECK(bench.broker.acked.empty());
  for (const auto& published : bench.broker.published) published.done(absl::OkStatus());
  CHECK(bench.broker.acked == Tags{1, 2});
}

TEST_CASE("a chunk whose delivery has failed waits until those before it are done with") {
  LoopBench bench;
  bench.Push(1, FakeTask(bench.package, 2).SerializeAsString());
  Arrival suspect;
  suspect.delivery.body = FakeTask(bench.package, 2).SerializeAsString();
  suspect.delivery.tag = {1, 2};
  suspect.delivery.delivery_count = 1;
  bench.queue.Push(std::move(suspect));
  absl::Notification sent;
  bench.broker.on_publish = [&] {
    if (bench.broker.published.size() == 2) sent.Notify();
  };
  std::thread confirming([&] {
    sent.WaitForNotification();
    for (const auto& published : bench.broker.published) published.done(absl::OkStatus());
  });
  Tags acked;
  bench.separator->before = [&] {
    if (++bench.computed < 2) return;
    acked = bench.broker.acked;
    bench.queue.Close();
  };
  CHECK(bench.loop.Run().ok());
  confirming.join();
  CHECK(acked == Tags{1});
}

TEST_CASE("a chunk whose results find no way is given back") {
  LoopBench bench;
  bench.Push(11, FakeTask(bench.package, 2).SerializeAsString());
  bench.Run();
  bench.broker.published[0].done(absl::OkStatus());
  SECTION("no queue, or no broker: another worker may have better luck") {
    bench.broker.published[1].done(absl::UnavailableError("no queue takes it"));
    CHECK(bench.broker.requeued == Tags{11});
    CHECK(bench.broker.rejected.empty());
  }
  SECTION("too large: nobody will") {
    bench.broker.published[1].done(absl::ResourceExhaustedError("too large"));
    CHECK(bench.broker.requeued.empty());
    CHECK(bench.broker.rejected == Tags{11});
  }
  CHECK(bench.broker.acked.empty());
}

TEST_CASE("a failure is a result, confirmed and then acknowledged") {
  LoopBench bench;
  bench.separator->status = absl::InternalError("out of cheese");
  bench.Push(11, FakeTask(bench.package, 2).SerializeAsString());
  bench.Run();
  REQUIRE(bench.broker.published.size() == 1);
  CHECK(bench.broker.published[0].result.message_id == "456.2.3.failure");
  ChunkResult result;
  REQUIRE(result.ParseFromString(bench.broker.published[0].result.body));
  CHECK(result.failure().reason() == "MODEL_ERROR");
  CHECK(bench.broker.acked.empty());
  bench.broker.published[0].done(absl::OkStatus());
  CHECK(bench.broker.acked == Tags{11});
  CHECK_THAT(bench.figures.Render(),
             Contains("unbraid_worker_chunks_total{result=\"MODEL_ERROR\"} 1"));
}

TEST_CASE("what is no task is set aside, and work goes on") {
  LoopBench bench;
  ChunkTask nameless = FakeTask(bench.package, 2);
  nameless.clear_assembler();
  bench.Push(1, "\xff\xff no protobuf");
  bench.Push(2, nameless.SerializeAsString());
  bench.Push(3, FakeTask(bench.package, 2).SerializeAsString());
  bench.Run();
  CHECK(bench.broker.rejected == Tags{1, 2});
  CHECK(bench.broker.requeued.empty());
  CHECK(bench.broker.published.size() == 2);
}

TEST_CASE("Case 24: a chunk of a separation that has ended is dropped without computing") {
  LoopBench bench;
  bench.cancelled.Add(base::SeparationId(456), 2);
  ChunkTask anew = FakeTask(bench.package, 2);
  anew.set_attempt(3);
  bench.Push(1, FakeTask(bench.package, 2).SerializeAsString());
  bench.Push(2, anew.SerializeAsString());
  bench.Run();
  CHECK(bench.broker.acked == Tags{1});
  CHECK(bench.computed == 1);
  REQUIRE(bench.broker.published.size() == 2);
  CHECK(bench.broker.published[0].result.message_id == "456.3.3.0");
}

TEST_CASE("the chunk in hand is given back when it is not waited for any longer") {
  LoopBench bench;
  absl::Notification computing;
  absl::Notification go_on;
  bench.separator->before = [&] {
    bench.queue.Close();
    computing.Notify();
    go_on.WaitForNotification();
  };
  bench.loop.GiveBackCurrent();  // nothing in hand
  CHECK(bench.broker.requeued.empty());
  bench.Push(11, FakeTask(bench.package, 2).SerializeAsString());
  std::thread inference([&bench] { (void)bench.loop.Run(); });
  computing.WaitForNotification();
  bench.loop.GiveBackCurrent();
  CHECK(bench.broker.requeued == Tags{11});
  go_on.Notify();
  inference.join();
}

TEST_CASE("a model that cannot be loaded is an error with its words") {
  const model::Package package = FakePackage(2);
  FakeBroker broker;
  ChunkQueue queue;
  CancelBook book(8);
  Watchdog watchdog(absl::Hours(1), [] {});
  telemetry::Metrics figures;
  WorkerMetrics metrics(&figures);
  ChunkLoop loop({"worker-1"}, {&package}, {&broker, &queue, &book, &watchdog, &metrics});
  const absl::Status status =
      loop.Load([](const model::Package&) { return absl::DataLossError("the graph is damaged"); });
  CHECK(status == absl::DataLossError("the graph is damaged"));
}

}  // namespace
}  // namespace unbraid::worker
