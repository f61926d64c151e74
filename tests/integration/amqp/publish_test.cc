#include <catch2/catch.hpp>
#include <set>

#include "services/common/amqp/queue_inspector.h"
#include "tests/integration/amqp/fixture.h"

namespace unbraid::amqp {
namespace {

std::string Noise(size_t bytes) {
  std::string noise(bytes, '\0');
  uint32_t state = 1;
  for (char& c : noise) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return noise;
}

TEST_CASE("a body of 2 MB and an empty one arrive as they were sent") {
  const Route route;
  const auto publisher = Publisher::Create(Options(), route.topology);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 10}, inbox.handler());
  const std::string body = Noise(2U << 20U);
  REQUIRE(publisher->PublishAndWait(route.To(body, "large"), kLimit).ok());
  REQUIRE(publisher->PublishAndWait(route.To("", "empty"), kLimit).ok());

  const std::vector<Delivery> got = inbox.Await(2);
  REQUIRE(got.size() == 2);
  CHECK(got[0].body == body);
  CHECK(got[0].message_id == "large");
  CHECK(got[0].routing_key == route.key);
  CHECK_FALSE(got[0].redelivered);
  CHECK(got[0].delivery_count == 0);
  CHECK(got[1].body.empty());
  CHECK(got[1].message_id == "empty");
}

TEST_CASE("thousands of messages are confirmed in a window and arrive once each, in order") {
  constexpr size_t kCount = 3000;
  const Route route;
  const auto publisher = Publisher::Create(Options(), route.topology);
  Outcomes outcomes;
  for (size_t i = 0; i < kCount; ++i) {
    publisher->Publish(route.To(std::to_string(i)), outcomes.Next());
  }
  REQUIRE(publisher->Flush(kLimit).ok());
  const std::vector<absl::Status> all = outcomes.Await(kCount, absl::ZeroDuration());
  REQUIRE(all.size() == kCount);  // Flush waits for the callbacks, not only for the broker
  CHECK(AllOk(all));

  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 500},
                       [&](Delivery delivery) { inbox.handler()(std::move(delivery)); });
  bool in_order = true;
  for (size_t i = 0; i < kCount; ++i) {
    const Delivery delivery = inbox.At(i);
    in_order = in_order && delivery.body == std::to_string(i);
    consumer->Ack(delivery.tag);
  }
  CHECK(in_order);
  CHECK(inbox.size() == kCount);
}

TEST_CASE("a message that no queue wants is an error, after several attempts") {
  Route route;
  route.topology.bindings.clear();
  const auto publisher = Publisher::Create(Options(), route.topology);
  const absl::Status lost = publisher->PublishAndWait(route.To("x"), kLimit);
  CHECK(absl::IsUnavailable(lost));
  CHECK(lost.message() == "no queue takes messages of " + route.exchange + " for key");

  SECTION("and none when it is not mandatory") {
    Message notice = route.To("x");
    notice.mandatory = false;
    CHECK(publisher->PublishAndWait(notice, kLimit).ok());
  }
}

TEST_CASE("of two messages with the same id only the one that came back is sent again") {
  const Route route;
  const auto publisher = Publisher::Create(Options(), route.topology);
  Message lost = route.To("lost", "same");
  lost.routing_key = "nowhere";
  Outcomes good;
  Outcomes bad;
  publisher->Publish(route.To("found", "same"), good.Next());
  publisher->Publish(lost, bad.Next());
  publisher->Publish(route.To("found", "same"), good.Next());
  const std::vector<absl::Status> failed = bad.Await(1);
  REQUIRE(failed.size() == 1);
  CHECK(absl::IsUnavailable(failed[0]));
  const std::vector<absl::Status> delivered = good.Await(2);
  REQUIRE(delivered.size() == 2);
  CHECK(AllOk(delivered));
  QueueInspector inspector(Options());
  CHECK(Eventually([&] {
    const auto depth = inspector.Inspect(route.queue);
    return depth.ok() && depth->ready == 2;
  }));
}

TEST_CASE("a queue that somebody has deleted is declared again by whoever publishes to it") {
  const Route route;
  const auto publisher = Publisher::Create(Options(), route.topology);
  REQUIRE(publisher->PublishAndWait(route.To("before"), kLimit).ok());
  REQUIRE(SharedBroker().Ctl({"delete_queue", route.queue}).ok());
  CHECK(publisher->PublishAndWait(route.To("after"), kLimit).ok());
  CHECK(publisher->state().generation == 1);
}

TEST_CASE("a message over the limit is refused before it is sent") {
  const Route route;
  ConnectionOptions options = Options();
  options.max_message_bytes = 1000;
  const auto publisher = Publisher::Create(options, route.topology);
  const absl::Status refused = publisher->PublishAndWait(route.To(Noise(1001)), kLimit);
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(refused.message() == "a message of 1001 bytes is larger than the broker's 1000");
  CHECK(publisher->PublishAndWait(route.To(Noise(1000)), kLimit).ok());
}

TEST_CASE("an exchange that was never declared is an error, and costs no connection") {
  const Route route;
  const Route other;
  const auto publisher = Publisher::Create(Options(), route.topology);
  const absl::Status refused = publisher->PublishAndWait(other.To("x"), kLimit);
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK(refused.message() ==
        "the exchange " + other.exchange + " is not declared by this publisher");

  publisher->EnsureTopology(other.topology);
  CHECK(publisher->PublishAndWait(other.To("x"), kLimit).ok());
  CHECK(publisher->PublishAndWait(route.To("x"), kLimit).ok());
  CHECK(publisher->state().generation == 1);
}

TEST_CASE("a topology that contradicts the broker's is told, not hidden") {
  const Route route;
  const auto first = Publisher::Create(Options(), route.topology);
  REQUIRE(first->PublishAndWait(route.To("x"), kLimit).ok());
  Topology other = route.topology;
  other.queues[0].delivery_limit = 7;
  const auto second = Publisher::Create(Options(), other);
  CHECK(Eventually([&] {
    return second->state().message.find("inequivalent arg 'x-delivery-limit'") != std::string::npos;
  }));
  CHECK_FALSE(second->state().connected);
}

TEST_CASE("messages that wait when the publisher is stopped are decided as cancelled") {
  const Route route;
  auto publisher = Publisher::Create(OptionsVia(1), route.topology);  // nobody listens there
  Outcomes outcomes;
  publisher->Publish(route.To("x"), outcomes.Next());
  CHECK(absl::IsDeadlineExceeded(publisher->Flush(absl::Milliseconds(50))));
  publisher->Stop();
  publisher->Publish(route.To("y"), outcomes.Next());
  publisher->Stop();
  const std::vector<absl::Status> all = outcomes.Await(2, absl::ZeroDuration());
  REQUIRE(all.size() == 2);
  CHECK(absl::IsCancelled(all[0]));
  CHECK(all[0].message() == "the publisher has been stopped");
  CHECK(absl::IsCancelled(all[1]));
}

TEST_CASE("waiting for an outcome ends in time when the queue is full and the broker is away") {
  const Route route;
  auto publisher = Publisher::Create(OptionsVia(1), route.topology);
  Outcomes outcomes;
  const std::string body(1U << 20U, 'x');
  for (int i = 0; i < 64; ++i) publisher->Publish(route.To(body), outcomes.Next());
  const absl::Status late = publisher->PublishAndWait(route.To(body), absl::Milliseconds(100));
  CHECK(absl::IsDeadlineExceeded(late));
  CHECK(late.message().find("cannot connect to the broker at 127.0.0.1:1: Connection refused") !=
        absl::string_view::npos);
  publisher->Stop();
  CHECK(outcomes.Await(64, absl::ZeroDuration()).size() == 64);
}

}  // namespace
}  // namespace unbraid::amqp
