#include <catch2/catch.hpp>
#include <set>

#include "absl/time/clock.h"
#include "services/common/amqp/queue_inspector.h"
#include "tests/integration/amqp/fixture.h"
#include "tests/support/tcp_proxy.h"

namespace unbraid::amqp {
namespace {

using test_support::TcpProxy;

// Stop() promises two seconds of grace and little more; the rest is for slow machines.
constexpr absl::Duration kStopBound = absl::Seconds(6);

std::unique_ptr<TcpProxy> Proxy() {
  absl::StatusOr<std::unique_ptr<TcpProxy>> proxy = TcpProxy::Start(SharedBroker().port());
  REQUIRE(proxy.ok());
  return *std::move(proxy);
}

template <typename T>
absl::Duration TimeToStop(T& object) {
  const absl::Time begun = absl::Now();
  object.Stop();
  return absl::Now() - begun;
}

TEST_CASE("a connection that is cut again and again while publishing loses nothing") {
  constexpr size_t kCount = 600;
  constexpr size_t kBytes = 50'000;
  const Route route;
  const auto proxy = Proxy();
  const auto publisher = Publisher::Create(OptionsVia(proxy->port()), route.topology);
  Inbox inbox;
  std::unique_ptr<Consumer> consumer;
  absl::Mutex ready;
  {
    absl::MutexLock lock(&ready);
    consumer =
        Consumer::Create(Options(), route.topology, {route.queue, "", 50}, [&](Delivery delivery) {
          const DeliveryTag tag = delivery.tag;
          delivery.body.clear();
          inbox.handler()(std::move(delivery));
          absl::MutexLock wait(&ready);
          consumer->Ack(tag);
        });
  }
  Outcomes outcomes;
  std::thread cutter([&] {
    for (size_t i = 1; i <= 5; ++i) {
      proxy->AwaitBytesFromClients(i * kCount * kBytes / 7, kLimit);
      proxy->CutAll();
    }
  });
  for (size_t i = 0; i < kCount; ++i) {
    publisher->Publish(route.To(std::string(kBytes, 'x'), std::to_string(i)), outcomes.Next());
  }
  CHECK(publisher->Flush(kLimit).ok());
  cutter.join();
  const std::vector<absl::Status> all = outcomes.Await(kCount);
  CHECK(all.size() == kCount);
  CHECK(AllOk(all));
  CHECK(publisher->state().generation >= 5);
  CHECK(Eventually([&] {
    std::set<std::string> ids;
    for (const Delivery& delivery : inbox.Await(inbox.size())) ids.insert(delivery.message_id);
    return ids.size() == kCount;
  }));
  consumer->Stop();
}

TEST_CASE("a consumer whose connection is cut gets its messages again, and old acks are ignored") {
  const Route route;
  const auto publisher = Publisher::Create(Options(), route.topology);
  const auto proxy = Proxy();
  Inbox inbox;
  const auto consumer = Consumer::Create(OptionsVia(proxy->port()), route.topology,
                                         {route.queue, "", 5}, inbox.handler());
  for (const char* id : {"a", "b"}) {
    REQUIRE(publisher->PublishAndWait(route.To("body", id), kLimit).ok());
  }
  REQUIRE(inbox.Await(2).size() == 2);
  proxy->CutAll();
  const std::vector<Delivery> got = inbox.Await(4);
  REQUIRE(got.size() == 4);
  CHECK(got[2].redelivered);
  CHECK(got[2].message_id == "a");
  CHECK(got[2].tag.generation > got[0].tag.generation);

  consumer->Ack(got[0].tag);
  consumer->Nack(got[1].tag, /*requeue=*/true);
  // An ack with a stale tag would have closed the channel before this message came.
  REQUIRE(publisher->PublishAndWait(route.To("body", "c"), kLimit).ok());
  REQUIRE(inbox.Await(5).size() == 5);
  CHECK(inbox.Await(5)[4].message_id == "c");
  CHECK(consumer->state().generation == got[2].tag.generation);
}

TEST_CASE("a broker that is restarted, or loses its power, loses nothing that was confirmed") {
  const bool clean = GENERATE(true, false);
  const Route route;
  const auto publisher = Publisher::Create(Options(), route.topology);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 100}, inbox.handler());
  QueueInspector inspector(Options());
  REQUIRE(publisher->PublishAndWait(route.To("before"), kLimit).ok());
  REQUIRE(inbox.Await(1).size() == 1);

  // RabbitMQ 3.10 writes the list of its quorum queues every half second; one that is younger is
  // gone after a crash.
  if (!clean) absl::SleepFor(absl::Seconds(3));
  REQUIRE((clean ? SharedBroker().Stop() : SharedBroker().Kill()).ok());
  REQUIRE(Eventually([&] { return !publisher->state().connected && !consumer->consuming(); }));
  CHECK_FALSE(publisher->state().message.empty());
  REQUIRE(Eventually([&] { return absl::IsUnavailable(inspector.Inspect(route.queue).status()); }));
  Outcomes outcomes;
  publisher->Publish(route.To("meanwhile"), outcomes.Next());
  REQUIRE(SharedBroker().Run().ok());

  const std::vector<absl::Status> all = outcomes.Await(1);
  REQUIRE(all.size() == 1);
  CHECK(all[0].ok());
  const std::vector<Delivery> got = inbox.Await(3);
  REQUIRE(got.size() == 3);
  CHECK(got[1].body == "before");  // it was never acknowledged
  CHECK(got[1].redelivered);
  CHECK(got[2].body == "meanwhile");
  CHECK(Eventually([&] { return inspector.Inspect(route.queue).ok(); }));
}

TEST_CASE("while connections are refused messages wait, and the state says why") {
  const Route route;
  const auto proxy = Proxy();
  proxy->RefuseNew();
  const auto publisher = Publisher::Create(OptionsVia(proxy->port()), route.topology);
  Outcomes outcomes;
  publisher->Publish(route.To("x"), outcomes.Next());
  REQUIRE(Eventually(
      [&] { return publisher->state().message.find("Connection refused") != std::string::npos; }));
  CHECK(outcomes.Await(1, absl::ZeroDuration()).empty());
  QueueInspector inspector(OptionsVia(proxy->port()));
  const absl::StatusOr<QueueDepth> depth = inspector.Inspect(route.queue, kLimit);
  CHECK(absl::IsUnavailable(depth.status()));
  proxy->Resume();
  const std::vector<absl::Status> all = outcomes.Await(1);
  REQUIRE(all.size() == 1);
  CHECK(all[0].ok());
}

TEST_CASE("a wrong password is told") {
  ConnectionOptions options = Options();
  options.password = "wrong";
  const auto publisher = Publisher::Create(options, {});
  CHECK(Eventually([&] {
    return publisher->state().message.find("cannot log in at the broker") != std::string::npos;
  }));
  CHECK_FALSE(publisher->state().connected);
}

TEST_CASE("a network that has gone silent is noticed by its missing heartbeats") {
  const Route route;
  const auto proxy = Proxy();
  ConnectionOptions options = OptionsVia(proxy->port());
  options.heartbeat = absl::Seconds(1);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(options, route.topology, {route.queue, "", 1}, inbox.handler());
  const auto publisher = Publisher::Create(options, route.topology);
  REQUIRE(publisher->PublishAndWait(route.To("before"), kLimit).ok());
  REQUIRE(inbox.Await(1).size() == 1);
  proxy->BlackHole();
  Outcomes outcomes;
  publisher->Publish(route.To("meanwhile"), outcomes.Next());
  CHECK(Eventually([&] { return !consumer->state().connected; }, absl::Seconds(20)));
  CHECK(Eventually([&] { return !publisher->state().connected; }, absl::Seconds(20)));
  CHECK_FALSE(consumer->state().message.empty());
  proxy->Resume();
  REQUIRE(Eventually([&] { return consumer->consuming(); }));
  REQUIRE(outcomes.Await(1).size() == 1);
  CHECK(AllOk(outcomes.Await(1)));
}

TEST_CASE("Stop is quick while the network is silent") {
  const Route route;
  const auto proxy = Proxy();
  const ConnectionOptions options = OptionsVia(proxy->port());
  Inbox inbox;

  SECTION("in the midst of publishing more than the network holds") {
    const auto publisher = Publisher::Create(options, route.topology);
    REQUIRE(publisher->PublishAndWait(route.To("x"), kLimit).ok());
    proxy->BlackHole();
    Outcomes outcomes;
    for (int i = 0; i < 10; ++i) {
      publisher->Publish(route.To(std::string(4U << 20U, 'x')), outcomes.Next());
    }
    CHECK(TimeToStop(*publisher) < kStopBound);
    const std::vector<absl::Status> all = outcomes.Await(10, absl::ZeroDuration());
    REQUIRE(all.size() == 10);
    CHECK(absl::IsCancelled(all[9]));
  }
  SECTION("of a consumer with a message in hand") {
    const auto publisher = Publisher::Create(Options(), route.topology);
    const auto consumer =
        Consumer::Create(options, route.topology, {route.queue, "", 1}, inbox.handler());
    REQUIRE(publisher->PublishAndWait(route.To("x"), kLimit).ok());
    REQUIRE(inbox.Await(1).size() == 1);
    proxy->BlackHole();
    consumer->Ack(inbox.Await(1)[0].tag);
    CHECK(TimeToStop(*consumer) < kStopBound);
  }
  SECTION("in the midst of logging in") {
    proxy->BlackHole();
    const auto publisher = Publisher::Create(options, route.topology);
    const auto consumer =
        Consumer::Create(options, route.topology, {route.queue, "", 1}, inbox.handler());
    QueueInspector inspector(options);
    REQUIRE(proxy->AwaitAccepted(3, kLimit));
    CHECK(TimeToStop(*publisher) < kStopBound);
    CHECK(TimeToStop(*consumer) < kStopBound);
    CHECK(TimeToStop(inspector) < kStopBound);
  }
  SECTION("in the midst of a question") {
    QueueInspector inspector(options);
    REQUIRE(Eventually([&] { return inspector.state().connected; }));
    proxy->BlackHole();
    CHECK(
        absl::IsDeadlineExceeded(inspector.Inspect(route.queue, absl::Milliseconds(100)).status()));
    CHECK(TimeToStop(inspector) < kStopBound);
  }
}

}  // namespace
}  // namespace unbraid::amqp
