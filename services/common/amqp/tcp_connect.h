#ifndef UNBRAID_SERVICES_COMMON_AMQP_TCP_CONNECT_H_
#define UNBRAID_SERVICES_COMMON_AMQP_TCP_CONNECT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace unbraid::amqp {

// Private to this folder: a TCP connection, as a non-blocking socket that the caller must close.
// Tries each address of `host` within `timeout` altogether; gives up at once when
// `stop_descriptor` becomes readable (-1: none). Only the look-up of the name cannot be broken off;
// the resolver has its own limits.
//   UNAVAILABLE  nobody answers there
//   CANCELLED    broken off
absl::StatusOr<int> ConnectTcp(const std::string& host, int port, absl::Duration timeout,
                               int stop_descriptor);

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_TCP_CONNECT_H_
