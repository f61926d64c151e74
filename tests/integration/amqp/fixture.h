#ifndef UNBRAID_TESTS_INTEGRATION_AMQP_FIXTURE_H_
#define UNBRAID_TESTS_INTEGRATION_AMQP_FIXTURE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/amqp/consumer.h"
#include "services/common/amqp/message.h"
#include "services/common/amqp/options.h"
#include "services/common/amqp/publisher.h"
#include "services/common/amqp/topology.h"
#include "tests/support/broker.h"

namespace unbraid::amqp {

// Generous, because sanitizers and a busy machine make a broker slow.
inline constexpr absl::Duration kLimit = absl::Seconds(60);

// The broker that all tests of this program share; started by the first.
test_support::Broker& SharedBroker();

// To the shared broker, at its own port or at a proxy's; with short pauses, so that tests are
// quick.
ConnectionOptions Options();
ConnectionOptions OptionsVia(int port);

// A name that no other test has.
std::string UniqueName(const std::string& prefix);

// An exchange, a queue and a binding of a test's own.
struct Route {
  Route();

  Topology topology;
  std::string exchange;
  std::string queue;
  std::string key = "key";

  Message To(std::string body, std::string message_id = "") const;
};

// Looks until it is so; false when the time is up. For what has no event to wait for.
bool Eventually(const std::function<bool()>& so, absl::Duration limit = kLimit);

// Collects what a consumer delivers.
class Inbox {
 public:
  std::function<void(Delivery)> handler();

  // The first `count` deliveries, or as many as came within the limit.
  std::vector<Delivery> Await(size_t count, absl::Duration limit = kLimit);
  // The one of this number, from 0; an empty one when it did not come within the limit.
  Delivery At(size_t index, absl::Duration limit = kLimit);
  size_t size() const;

 private:
  mutable absl::Mutex mutex_;
  std::vector<Delivery> deliveries_ ABSL_GUARDED_BY(mutex_);
};

// Collects what became of published messages.
class Outcomes {
 public:
  std::function<void(absl::Status)> Next();

  // All outcomes; fewer than were asked for when the time is up first.
  std::vector<absl::Status> Await(size_t count, absl::Duration limit = kLimit);

 private:
  absl::Mutex mutex_;
  std::vector<absl::Status> outcomes_ ABSL_GUARDED_BY(mutex_);
};

bool AllOk(const std::vector<absl::Status>& statuses);

}  // namespace unbraid::amqp

#endif  // UNBRAID_TESTS_INTEGRATION_AMQP_FIXTURE_H_
