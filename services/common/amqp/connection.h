#ifndef UNBRAID_SERVICES_COMMON_AMQP_CONNECTION_H_
#define UNBRAID_SERVICES_COMMON_AMQP_CONNECTION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/amqp/message.h"
#include "services/common/amqp/options.h"
#include "services/common/amqp/topology.h"

namespace unbraid::amqp {

struct Events;

// Private to this folder: one connection with one open channel. It belongs to one thread. After any
// error that is not NOT_FOUND from QueueSize it is of no further use and must be dropped; nothing
// is ever tried again on it.
class Connection {
 public:
  struct Hooks {
    // Readable: break off what waits. -1: none.
    int stop_descriptor = -1;
    // The socket, before anything that may block on it: shutting it down ends every wait.
    std::function<void(int descriptor)> opened;
    // Called whenever something goes forward.
    std::function<void()> alive;
  };

  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options,
                                                          Events events, Hooks hooks);
  // Closes the socket without a word.
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

  // Sends one message, which is the channel's `sequence`-th. Waits while the broker does not read,
  // and drains meanwhile: under an alarm it is the only way to learn of the alarm. An error when
  // nothing goes forward for publish_timeout though there is no alarm.
  absl::Status Publish(const Message& message, uint64_t sequence);

  struct QueueCounts {
    int64_t ready = 0;
    int64_t consumers = 0;
  };
  // Passive declare. NOT_FOUND when there is no such queue.
  absl::StatusOr<QueueCounts> QueueSize(const std::string& queue);

  // When a frame came last, be it a part of a message; heartbeats do not count.
  absl::Time last_frame() const;

  // Handles everything that has arrived, without waiting; whether that was anything. Also sends and
  // checks heartbeats, so it must be called more often than they are due.
  absl::StatusOr<bool> Drain();

  // Takes leave of the broker, so that all acknowledgements arrive before the end: closing a socket
  // with something unread resets it, and a reset overtakes what was sent. Takes a second at most.
  void Close();

 private:
  struct State;
  explicit Connection(std::unique_ptr<State> state);

  absl::Status DeclareQueue(const Queue& queue);
  // After the broker has closed it.
  absl::Status ReopenChannel();
  absl::Status AwaitWritable();
  absl::Status SendBody(const std::string& body);

  const std::unique_ptr<State> state_;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_CONNECTION_H_
