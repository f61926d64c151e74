#ifndef UNBRAID_SERVICES_SPLITTER_BROKER_H_
#define UNBRAID_SERVICES_SPLITTER_BROKER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/base/package_id.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::splitter {

// The broker as the dispatching core sees it; amqp_broker.h is the real one, tests have their own.
// Implementations are thread-safe.

// What the broker is, for people and for probes.
struct BrokerState {
  bool connected = false;
  bool blocked = false;  // it takes no messages: a memory or disk alarm
  std::string message;   // what is amiss; empty when nothing is
};

// A chunk on its way to the workers of a package.
struct OutgoingChunk {
  base::PackageId package;
  std::string message_id;  // <separation>.<attempt>.<chunk>.<try>
  std::string body;        // a ChunkTask
};

// Where chunks go.
class ChunkSink {
 public:
  virtual ~ChunkSink() = default;

  // Takes a chunk; at-least-once. `done` is called exactly once, on any thread: OK when the broker
  // has it safely, RESOURCE_EXHAUSTED when it is too large for any broker, UNAVAILABLE when no
  // queue wants it, CANCELLED at shutdown.
  virtual void Publish(OutgoingChunk chunk, std::function<void(absl::Status)> done) = 0;

  // Tells all workers that a separation has ended. Does not wait; a lost notice costs computing
  // time only.
  virtual void PublishCancel(const internal::v1::CancelNotice& notice) = 0;

  virtual BrokerState state() const = 0;

  // To be called now and then: a broker tells of an alarm only who sends it something, so it is
  // sent something. Does not wait.
  virtual void Probe() {}
};

struct QueueCounts {
  int64_t ready = 0;      // messages that wait
  int64_t consumers = 0;  // connected receivers
};

// How full the queues are. The methods may wait for the broker for some seconds. UNAVAILABLE when
// it is away; a queue that does not exist (yet) counts as empty.
class QueueDepths {
 public:
  virtual ~QueueDepths() = default;
  virtual absl::StatusOr<QueueCounts> Chunks(const base::PackageId& package) = 0;
  virtual absl::StatusOr<QueueCounts> Results(const std::string& assembler) = 0;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_BROKER_H_
