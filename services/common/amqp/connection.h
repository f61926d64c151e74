#ifndef UNBRAID_SERVICES_COMMON_AMQP_CONNECTION_H_
#define UNBRAID_SERVICES_COMMON_AMQP_CONNECTION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/amqp/message.h"
#include "services/common/amqp/options.h"
#include "services/common/amqp/topology.h"

namespace unbraid::amqp {

// Private to this folder: one connection with one open channel. It belongs to one thread. After any
// error that is not NOT_FOUND from QueueSize it is of no further use and must be dropped; nothing
// is ever tried again on it.
class Connection {
 public:
  // What the broker sends by itself.
  struct Events {
    std::function<void(Delivery)> delivered;
    std::function<void(std::string message_id)> returned;
    std::function<void(uint64_t sequence, bool multiple)> acked;
    std::function<void(uint64_t sequence, bool multiple)> nacked;
    std::function<void(bool blocked, std::string reason)> blocked;
    std::function<void()> consumer_cancelled;  // the queue is gone
  };

  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int descriptor() const;

  absl::Status Declare(const Topology& topology);
  absl::Status SelectConfirms();

  // Declares a queue of this connection's own that ends with it, bound to `exchange`; gives its
  // name.
  absl::StatusOr<std::string> DeclareOwnQueue(const std::string& exchange);

  // Begins to consume; gives the consumer's tag.
  absl::StatusOr<std::string> Consume(const std::string& queue, int prefetch, bool needs_ack);
  absl::Status CancelConsumer(const std::string& tag);
  absl::Status Ack(uint64_t tag);
  absl::Status Nack(uint64_t tag, bool requeue);

  // Sends one message; may block until the broker reads.
  absl::Status Publish(const Message& message);

  struct QueueCounts {
    int64_t ready = 0;
    int64_t consumers = 0;
  };
  // Passive declare. NOT_FOUND when there is no such queue; the channel is closed then.
  absl::StatusOr<QueueCounts> QueueSize(const std::string& queue);

  // Handles everything that has arrived, without waiting. Also sends and checks heartbeats, so it
  // must be called more often than they are due.
  absl::Status Drain(const Events& events);

 private:
  struct State;
  explicit Connection(std::unique_ptr<State> state);

  // Handles one frame; false: none was there.
  absl::StatusOr<bool> DrainOne(const Events& events);

  const std::unique_ptr<State> state_;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_CONNECTION_H_
