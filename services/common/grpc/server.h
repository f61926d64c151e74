#ifndef UNBRAID_SERVICES_COMMON_GRPC_SERVER_H_
#define UNBRAID_SERVICES_COMMON_GRPC_SERVER_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/base/host_port.h"

namespace unbraid::grpc_util {

struct ServerOptions {
  // Where to listen; port 0 takes any free port.
  base::HostPort listen;

  // The services, not owned; they must outlive the server.
  std::vector<grpc::Service*> services;

  // Largest message that is taken, in bytes. An upload part is at most 1 MiB.
  int max_receive_bytes = 4 << 20;
};

// A gRPC server with the standard health service and reflection. It starts as NOT_SERVING; its
// owner says when it can do its work. Thread-safe.
class Server {
 public:
  // UNAVAILABLE when the address cannot be had: ports are never shared silently with another
  // process.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options);

  // Shuts down at once.
  ~Server();

  // The address that is really bound.
  const base::HostPort& address() const { return address_; }

  // What the health service says, for the empty service name and for every service.
  void SetServing(bool serving);

  // Takes no new calls, lets running ones end, and cancels them at the end of `grace`. May be
  // called twice.
  void Shutdown(absl::Duration grace);

 private:
  Server(std::unique_ptr<grpc::Server> server, base::HostPort address);

  const std::unique_ptr<grpc::Server> server_;
  const base::HostPort address_;
};

}  // namespace unbraid::grpc_util

#endif  // UNBRAID_SERVICES_COMMON_GRPC_SERVER_H_
