#ifndef UNBRAID_SERVICES_COMMON_AMQP_CONNECT_H_
#define UNBRAID_SERVICES_COMMON_AMQP_CONNECT_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/common/amqp/options.h"
#include "services/common/config/flags.h"

namespace unbraid::amqp {

// What the flags say of the broker, with the password read from its file. `client_name` shows in
// the broker's lists.
inline absl::StatusOr<ConnectionOptions> ToConnectionOptions(const config::BrokerConfig& config,
                                                             const std::string& client_name) {
  absl::StatusOr<config::BrokerLogin> login = config::ResolveBroker(config);
  if (!login.ok()) return login.status();
  ConnectionOptions options;
  options.host = login->address.host;
  options.port = login->address.port;
  options.vhost = login->vhost;
  options.user = login->user;
  options.password = login->password;
  options.client_name = client_name;
  return options;
}

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_CONNECT_H_
