#ifndef UNBRAID_SERVICES_COMMON_AMQP_CONSUMER_H_
#define UNBRAID_SERVICES_COMMON_AMQP_CONSUMER_H_

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/amqp/message.h"
#include "services/common/amqp/options.h"
#include "services/common/amqp/topology.h"

namespace unbraid::amqp {

class Connection;
class IoThread;

struct ConsumerOptions {
  // The queue; empty: an exclusive queue of the connection's own, bound to `fanout_exchange`, whose
  // messages need no ack.
  std::string queue;
  std::string fanout_exchange;

  // Most deliveries that are not acknowledged yet.
  int prefetch = 1;

  // How long nothing must have come or gone before the queue is looked at.
  absl::Duration look_after = absl::Seconds(5);
};

// Consumes one queue, on a connection and a thread of its own, so that heartbeats go on whatever
// the receiver does. At-least-once. When the connection is lost, or the queue is deleted, it
// declares and consumes again; deliveries of the old connection come again then, and their tags
// mean nothing any more.
//
// A broker may forget to say that a queue was deleted: when RabbitMQ 3.10 is told to declare it
// again in the same moment, the new queue takes the old consumer for its own and sends it nothing.
// So a consumer that has nothing looks at its queue now and then, and when messages wait in it
// twice in a row, or it is not there, connects anew. Thread-safe.
class Consumer {
 public:
  // `handler` runs on the I/O thread and must not block: hand the delivery over to a queue (the
  // prefetch bounds it).
  static std::unique_ptr<Consumer> Create(const ConnectionOptions& options,
                                          const Topology& topology,
                                          const ConsumerOptions& consumer_options,
                                          std::function<void(Delivery)> handler);
  // Stops.
  ~Consumer();

  // Done with a delivery. Ignored when its connection is gone (the broker delivers it again), when
  // it was acknowledged or given back before, and on a queue of one's own.
  void Ack(DeliveryTag tag);

  // Gives a delivery back: to the queue, or, without `requeue`, to the dead letters. Ignored like
  // Ack.
  void Nack(DeliveryTag tag, bool requeue);

  // Asks for no more deliveries; some may still trickle in. Acknowledging goes on.
  void Cancel();

  ConnectionState state() const;
  // Connected, and deliveries can come.
  bool consuming() const;

  // Sends what was acknowledged so far if the connection allows, then ends the thread. What is not
  // acknowledged is delivered again to somebody. May be called twice; not from the handler.
  void Stop();

 private:
  struct Action {
    DeliveryTag tag;
    bool ack;
    bool requeue;
  };

  Consumer(const ConnectionOptions& options, const Topology& topology,
           const ConsumerOptions& consumer_options, std::function<void(Delivery)> handler);

  absl::Status Begin(Connection* connection);
  absl::StatusOr<absl::Duration> Work(Connection* connection);
  absl::Status SendActions(Connection* connection);
  // While nothing is delivered: UNAVAILABLE when something had to be. Gives the time until the next
  // look.
  absl::StatusOr<absl::Duration> LookForForgetting(Connection* connection);
  void Enqueue(Action action);
  void OnDelivered(Delivery delivery);
  void OnDisconnected();

  const Topology topology_;
  const ConsumerOptions consumer_options_;
  const std::function<void(Delivery)> handler_;

  // Touched by the I/O thread alone.
  std::string consumer_tag_;                       // empty: not consuming
  bool begin_again_ = false;                       // the queue was deleted
  absl::Time quiet_since_ = absl::InfinitePast();  // but for frames that came
  bool overlooked_ = false;  // messages waited at the last look, and nothing has come since

  mutable absl::Mutex mutex_;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: not connected
  // Deliveries of this connection that nobody has acknowledged yet.
  std::set<uint64_t> unsettled_ ABSL_GUARDED_BY(mutex_);
  std::vector<Action> actions_ ABSL_GUARDED_BY(mutex_);
  bool cancel_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool consuming_ ABSL_GUARDED_BY(mutex_) = false;
  bool drained_ ABSL_GUARDED_BY(mutex_) = true;  // every action has been sent

  std::unique_ptr<IoThread> io_;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_CONSUMER_H_
