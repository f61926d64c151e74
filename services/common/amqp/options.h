#ifndef UNBRAID_SERVICES_COMMON_AMQP_OPTIONS_H_
#define UNBRAID_SERVICES_COMMON_AMQP_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace unbraid::amqp {

// How to reach the broker, and how long to wait for it.
struct ConnectionOptions {
  std::string host = "127.0.0.1";
  int port = 5672;
  std::string vhost = "/";
  std::string user;
  std::string password;

  // Shown in the broker's list of connections.
  std::string client_name = "unbraid";

  // A connection that is silent for two of these is given up, by either side.
  absl::Duration heartbeat = absl::Seconds(10);
  absl::Duration connect_timeout = absl::Seconds(5);
  // For declaring, consuming and the like. After such a timeout the connection is given up.
  absl::Duration rpc_timeout = absl::Seconds(10);
  // A message that cannot be sent, or is not confirmed, for so long gives the connection up, and is
  // sent again on the next. Time under an alarm of the broker does not count.
  absl::Duration publish_timeout = absl::Seconds(30);

  // Pause between two attempts to connect; doubles from the first to the second, with jitter. Parts
  // that have lost the broker together are all back within the longer one.
  absl::Duration backoff_min = absl::Milliseconds(100);
  absl::Duration backoff_max = absl::Seconds(3);

  // RabbitMQ 4 takes no larger message.
  size_t max_message_bytes = 16U << 20;
};

// What a connection is, for probes and for people.
struct ConnectionState {
  bool connected = false;
  // The broker has told that it takes no messages (a memory or disk alarm).
  bool blocked = false;
  // Why it is not connected, or why it is blocked; empty when nothing is amiss.
  std::string message;
  // Counts connections, from 1.
  uint64_t generation = 0;

  bool usable() const { return connected && !blocked; }
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_OPTIONS_H_
