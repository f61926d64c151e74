#ifndef UNBRAID_SERVICES_GATEWAY_GATEWAY_SERVER_H_
#define UNBRAID_SERVICES_GATEWAY_GATEWAY_SERVER_H_

#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/common/base/steady.h"
#include "services/common/grpc/server.h"
#include "services/common/telemetry/http_server.h"
#include "services/gateway/separation_service.h"
#include "services/gateway/system_service.h"
#include "services/gateway/track_service.h"

namespace unbraid::gateway {

// The whole process: the public services, a look at the backends every two seconds that health and
// readiness follow, probes.
class GatewayServer {
 public:
  static absl::StatusOr<std::unique_ptr<GatewayServer>> Create(const Config& config);
  // Drains.
  ~GatewayServer();

  // The order: health says no, no new calls, running ones get the grace period and are cancelled at
  // its end. May be called twice.
  void Drain();

  const base::HostPort& address() const { return server_->address(); }
  // Of the probes; only where they are wanted.
  const base::HostPort& http_address() const { return http_->address(); }
  // OK, or what is amiss.
  absl::Status Ready() const;

 private:
  GatewayServer(const Config& config, model::Catalogue catalogue);
  absl::Status Start();
  void Poll();

  const Config config_;
  const model::Catalogue catalogue_;
  telemetry::Metrics metrics_;
  const Backends backends_;
  base::Executor sessions_;
  TrackServiceImpl tracks_;
  SeparationServiceImpl separations_;
  SystemServiceImpl system_;
  std::unique_ptr<grpc_util::Server> server_;
  std::unique_ptr<telemetry::HttpServer> http_;

  mutable absl::Mutex mutex_;
  absl::Status ready_ ABSL_GUARDED_BY(mutex_) =
      absl::UnavailableError("the backends have not been asked yet");
  base::StopSignal draining_;
  std::thread poller_;
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_GATEWAY_SERVER_H_
