#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "services/common/amqp/queue_inspector.h"
#include "tests/integration/amqp/fixture.h"

namespace unbraid::amqp {
namespace {

// A memory alarm for as long as the object lives.
class Alarm {
 public:
  Alarm() { REQUIRE(Set("0.000001")); }
  ~Alarm() { Set("0.4"); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  static bool Set(const std::string& share) {
    return SharedBroker().Ctl({"set_vm_memory_high_watermark", share}).ok();
  }
};

TEST_CASE("Case 28: a broker alarm is told, nothing is lost, and publishing goes on afterwards") {
  constexpr size_t kCount = 8;
  const Route route;
  const auto publisher = Publisher::Create(Options(), route.topology);
  Inbox inbox;
  const auto consumer =
      Consumer::Create(Options(), route.topology, {route.queue, "", 1}, inbox.handler());
  REQUIRE(publisher->PublishAndWait(route.To("first"), kLimit).ok());
  REQUIRE(publisher->PublishAndWait(route.To("second"), kLimit).ok());
  REQUIRE(inbox.Await(1).size() == 1);
  Outcomes outcomes;
  {
    const Alarm alarm;
    // Larger than what the sockets hold: the broker stops reading in the midst of a message.
    for (size_t i = 0; i < kCount; ++i) {
      publisher->Publish(route.To(std::string(6U << 20U, 'x')), outcomes.Next());
    }
    REQUIRE(Eventually([&] { return publisher->state().blocked; }));
    CHECK(publisher->state().connected);
    CHECK_FALSE(publisher->state().usable());
    CHECK(publisher->state().message == "the broker takes no messages: low on memory");

    // Acknowledging must go on, or the alarm would never clear; it has a connection of its own.
    consumer->Ack(inbox.Await(1)[0].tag);
    REQUIRE(inbox.Await(2).size() == 2);
    CHECK(inbox.Await(2)[1].body == "second");
    QueueInspector inspector(Options());
    CHECK(inspector.Inspect(route.queue, kLimit).ok());

    // The passing of time is tested: longer than three heartbeats without a connection lost.
    absl::SleepFor(absl::Seconds(8));
    CHECK(publisher->state().blocked);
    CHECK(publisher->state().generation == 1);
    CHECK(outcomes.Await(1, absl::ZeroDuration()).empty());
  }
  const std::vector<absl::Status> all = outcomes.Await(kCount);
  CHECK(all.size() == kCount);
  CHECK(AllOk(all));
  CHECK(publisher->state().usable());
  CHECK(publisher->state().message.empty());
  CHECK(publisher->state().generation == 1);
}

TEST_CASE("a publisher that is stopped during an alarm ends soon") {
  const Route route;
  const auto publisher = Publisher::Create(Options(), route.topology);
  REQUIRE(publisher->PublishAndWait(route.To("first"), kLimit).ok());
  const Alarm alarm;
  Outcomes outcomes;
  publisher->Publish(route.To(std::string(12U << 20U, 'x')), outcomes.Next());
  REQUIRE(Eventually([&] { return publisher->state().blocked; }));
  const absl::Time begun = absl::Now();
  publisher->Stop();
  CHECK(absl::Now() - begun < absl::Seconds(6));
  const std::vector<absl::Status> all = outcomes.Await(1, absl::ZeroDuration());
  REQUIRE(all.size() == 1);
  CHECK(absl::IsCancelled(all[0]));
}

}  // namespace
}  // namespace unbraid::amqp
