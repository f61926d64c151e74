#ifndef UNBRAID_SERVICES_COMMON_TELEMETRY_HTTP_SERVER_H_
#define UNBRAID_SERVICES_COMMON_TELEMETRY_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/base/host_port.h"
#include "services/common/telemetry/metrics.h"

namespace unbraid::telemetry {

// What the probes say. Each is called on an HTTP thread at each request, must not block, and must
// be thread-safe. The message of an error is the body of the answer 503.
struct Probes {
  // OK while the process can be expected to go on: /healthz.
  std::function<absl::Status()> live;
  // OK while it can do its work now: /readyz.
  std::function<absl::Status()> ready;
};

// Serves GET /healthz, /readyz and /metrics.
class HttpServer {
 public:
  // `metrics` is not owned and must outlive the server. An empty `address` gives a null pointer: no
  // server is wanted. INVALID_ARGUMENT for a malformed address, UNAVAILABLE when it cannot be
  // bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                           Probes probes, const Metrics* metrics);
  // Stops.
  ~HttpServer();

  // The address that is really bound.
  const base::HostPort& address() const { return address_; }

 private:
  struct Implementation;
  HttpServer(std::unique_ptr<Implementation> implementation, base::HostPort address);

  std::unique_ptr<Implementation> implementation_;
  const base::HostPort address_;
};

}  // namespace unbraid::telemetry

#endif  // UNBRAID_SERVICES_COMMON_TELEMETRY_HTTP_SERVER_H_
