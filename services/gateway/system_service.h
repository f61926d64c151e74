#ifndef UNBRAID_SERVICES_GATEWAY_SYSTEM_SERVICE_H_
#define UNBRAID_SERVICES_GATEWAY_SYSTEM_SERVICE_H_

#include "services/common/model/catalogue.h"
#include "services/common/telemetry/metrics.h"
#include "services/gateway/backends.h"
#include "services/gateway/config.h"
#include "unbraid/v1/system_service.grpc.pb.h"

namespace unbraid::gateway {

// unbraid.v1.SystemService.
class SystemServiceImpl : public v1::SystemService::CallbackService {
 public:
  SystemServiceImpl(const Config& config, const Backends* backends,
                    const model::Catalogue* catalogue, telemetry::Metrics* metrics)
      : config_(config), backends_(backends), catalogue_(catalogue), metrics_(metrics) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListModelsRequest* request,
                                       v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const v1::GetServerInfoRequest* request,
                                          v1::ServerInfo* response) override;

 private:
  absl::Status FillModels(const v1::ListModelsRequest& request,
                          v1::ListModelsResponse* response) const;

  const Config config_;
  const Backends* const backends_;
  const model::Catalogue* const catalogue_;
  telemetry::Metrics* const metrics_;
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_SYSTEM_SERVICE_H_
