#ifndef UNBRAID_SERVICES_COMMON_BASE_HOST_PORT_H_
#define UNBRAID_SERVICES_COMMON_BASE_HOST_PORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unbraid::base {

// A network address as people write it: `127.0.0.1:50051`, `[::1]:50051`, `splitter.unbraid:50052`.
struct HostPort {
  std::string host;
  int port = 0;  // 0: any free port, where one listens

  std::string ToString() const;
};

// INVALID_ARGUMENT when `text` is no HOST:PORT.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_HOST_PORT_H_
