#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "services/common/amqp/queue_inspector.h"
#include "tests/integration/amqp/fixture.h"

namespace unbraid::amqp {
namespace {

void Fill(const Route& route, int count, size_t bytes = 10) {
  const auto publisher = Publisher::Create(Options(), route.topology);
  for (int i = 0; i < count; ++i) {
    publisher->Publish(route.To(std::string(bytes, 'x'), std::to_string(i)), [](absl::Status) {});
  }
  REQUIRE(publisher->Flush(kLimit).ok());
}

bool AwaitDepth(const std::string& queue, int64_t ready, int64_t consumers) {
  QueueInspector inspector(Options());
  return Eventually([&] {
    const absl::StatusOr<QueueDepth> depth = inspector.Inspect(queue);
    return depth.ok() && depth->ready == ready && depth->consumers == consumers;
  });
}

TEST_CASE("no more than the prefetch is handed out without acknowledgement") {
  const Route route;
  Fill(route, 10);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 3}, inbox.handler());
  REQUIRE(inbox.Await(3).size() == 3);
  CHECK(AwaitDepth(route.queue, 7, 1));
  CHECK(inbox.size() == 3);
  consumer->Ack(inbox.Await(1)[0].tag);
  CHECK(inbox.Await(4).size() == 4);
}

TEST_CASE("a consumer that is only waiting keeps its connection") {
  const Route route;
  ConsumerOptions options{route.queue, "", 2};
  options.look_after = absl::Milliseconds(20);
  Inbox inbox;
  const auto consumer = Consumer::Create(Options(), route.topology, options, inbox.handler());
  SECTION("for anything at all") {}
  SECTION("for acknowledgements of what it holds, while more waits") {
    Fill(route, 4);
    REQUIRE(inbox.Await(2).size() == 2);
  }
  SECTION("beside others that hold what waits") {
    Inbox elsewhere;
    const auto other = Consumer::Create(Options(), route.topology, options, elsewhere.handler());
    Fill(route, 6);
    REQUIRE(AwaitDepth(route.queue, 2, 2));
    for (const Delivery& delivery : inbox.Await(2)) consumer->Ack(delivery.tag);
    REQUIRE(AwaitDepth(route.queue, 0, 2));
  }
  constexpr absl::Duration kManyLooks = absl::Seconds(3);
  CHECK_FALSE(Eventually([&] { return consumer->state().generation > 1; }, kManyLooks));
}

TEST_CASE("a message that is given back comes again and says so") {
  const Route route;
  Fill(route, 1);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 1}, inbox.handler());
  REQUIRE(inbox.Await(1).size() == 1);
  consumer->Nack(inbox.Await(1)[0].tag, /*requeue=*/true);
  const std::vector<Delivery> got = inbox.Await(2);
  REQUIRE(got.size() == 2);
  CHECK(got[1].redelivered);
  CHECK(got[1].delivery_count == 1);
  CHECK(got[1].message_id == "0");
}

TEST_CASE("acknowledging twice does no harm") {
  const Route route;
  Fill(route, 2);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 1}, inbox.handler());
  REQUIRE(inbox.Await(1).size() == 1);
  const DeliveryTag tag = inbox.Await(1)[0].tag;
  consumer->Ack(tag);
  consumer->Ack(tag);
  consumer->Nack(tag, true);
  REQUIRE(inbox.Await(2).size() == 2);
  consumer->Ack(inbox.Await(2)[1].tag);
  CHECK(AwaitDepth(route.queue, 0, 1));
  CHECK(consumer->state().generation == 1);
}

TEST_CASE("a chunk that nobody survives goes to the dead letters at its delivery limit") {
  const base::PackageId package{UniqueName("model"), std::string(64, '0')};
  const Topology topology = ChunkTopology(package);
  const auto publisher = Publisher::Create(Options(), topology);
  Inbox dead;
  const auto undertaker =
      Consumer::Create(Options(), topology, {kDeadChunksQueue, "", 10}, dead.handler());
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), topology, {ChunkQueue(package), "", 1}, inbox.handler());
  REQUIRE(
      publisher->PublishAndWait({kChunksExchange, ChunkKey(package), "poison", "chunk-1"}, kLimit)
          .ok());

  for (size_t i = 0; i <= kChunkDeliveryLimit; ++i) {
    const std::vector<Delivery> got = inbox.Await(i + 1);
    REQUIRE(got.size() == i + 1);
    CHECK(got[i].delivery_count == static_cast<int64_t>(i));
    consumer->Nack(got[i].tag, /*requeue=*/true);
  }
  const std::vector<Delivery> buried = dead.Await(1);
  REQUIRE(buried.size() == 1);
  CHECK(buried[0].body == "poison");
  CHECK(buried[0].message_id == "chunk-1");
  CHECK(buried[0].headers.at("x-first-death-reason") == "delivery_limit");
  CHECK(buried[0].headers.at("x-first-death-queue") == ChunkQueue(package));
  CHECK(inbox.size() == kChunkDeliveryLimit + 1);
  undertaker->Ack(buried[0].tag);
}

TEST_CASE("a consumer that holds a message for long keeps its connection") {
  const Route route;
  Fill(route, 1);
  ConnectionOptions options = Options();
  options.heartbeat = absl::Seconds(1);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(options, route.topology, {route.queue, "", 1}, inbox.handler());
  REQUIRE(inbox.Await(1).size() == 1);
  // It is the passing of time that is tested: a broker gives a silent client up after two to three
  // heartbeats.
  absl::SleepFor(absl::Seconds(5));
  CHECK(consumer->state().connected);
  CHECK(consumer->state().generation == 1);
  consumer->Ack(inbox.Await(1)[0].tag);
  consumer->Stop();
  CHECK(AwaitDepth(route.queue, 0, 0));
}

TEST_CASE("a notice reaches the own queue of every listener") {
  const auto publisher = Publisher::Create(Options(), ControlTopology());
  Inbox one;
  Inbox two;
  const ConsumerOptions own = {"", kControlExchange, 1};
  const auto first = Consumer::Create(Options(), ControlTopology(), own, one.handler());
  const auto second = Consumer::Create(Options(), ControlTopology(), own, two.handler());
  REQUIRE(Eventually([&] { return first->consuming() && second->consuming(); }));
  for (int i = 0; i < 5; ++i) {
    REQUIRE(publisher->PublishAndWait({kControlExchange, "", "stop", "", false}, kLimit).ok());
  }
  const std::vector<Delivery> got = one.Await(5);
  REQUIRE(got.size() == 5);  // more than the prefetch: nothing needs an acknowledgement
  CHECK(got[4].body == "stop");
  first->Ack(got[0].tag);  // allowed, and without effect
  CHECK(two.Await(5).size() == 5);
  CHECK(first->state().generation == 1);
}

TEST_CASE("after Cancel no more is delivered, and acknowledging goes on") {
  const Route route;
  Fill(route, 1);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 5}, inbox.handler());
  REQUIRE(inbox.Await(1).size() == 1);
  consumer->Cancel();
  REQUIRE(Eventually([&] { return !consumer->consuming(); }));
  Fill(route, 1);
  consumer->Ack(inbox.Await(1)[0].tag);
  consumer->Stop();
  CHECK(AwaitDepth(route.queue, 1, 0));
  CHECK(inbox.size() == 1);
}

TEST_CASE("what was acknowledged before Stop is gone, and only the rest comes again") {
  constexpr size_t kCount = 60;
  constexpr size_t kAcknowledged = 20;
  const Route route;
  Fill(route, kCount, 100'000);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 30}, inbox.handler());
  for (size_t i = 0; i < kAcknowledged; ++i) {
    consumer->Ack(inbox.At(i).tag);
  }
  consumer->Stop();
  CHECK(AwaitDepth(route.queue, kCount - kAcknowledged, 0));
}

TEST_CASE("a queue deleted under a consumer is declared and consumed again") {
  const Route route;
  Fill(route, 1);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 5}, inbox.handler());
  REQUIRE(inbox.Await(1).size() == 1);
  REQUIRE(SharedBroker().Ctl({"delete_queue", route.queue}).ok());
  REQUIRE(AwaitDepth(route.queue, 0, 1));
  consumer->Ack(inbox.Await(1)[0].tag);  // of the queue that is gone
  Fill(route, 1);
  const std::vector<Delivery> got = inbox.Await(2);
  REQUIRE(got.size() == 2);
  consumer->Ack(got[1].tag);
  CHECK(Eventually([&] { return consumer->consuming(); }));
  consumer->Stop();
  CHECK(AwaitDepth(route.queue, 0, 0));
}

TEST_CASE("the depth of a queue that does not exist is NOT_FOUND, and the next question works") {
  QueueInspector inspector(Options());
  const std::string missing = UniqueName("missing");
  const absl::StatusOr<QueueDepth> none = inspector.Inspect(missing, kLimit);
  CHECK(absl::IsNotFound(none.status()));
  CHECK(none.status().message().find("no queue '" + missing) != absl::string_view::npos);
  const Route route;
  Fill(route, 3);
  const absl::StatusOr<QueueDepth> depth = inspector.Inspect(route.queue, kLimit);
  REQUIRE(depth.ok());
  CHECK(depth->consumers == 0);
  CHECK(absl::IsNotFound(inspector.Inspect(missing, kLimit).status()));
  CHECK(inspector.state().generation == 1);
  inspector.Stop();
  CHECK(absl::IsCancelled(inspector.Inspect(route.queue).status()));
}

}  // namespace
}  // namespace unbraid::amqp
