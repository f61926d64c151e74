#ifndef UNBRAID_SERVICES_GATEWAY_SEPARATION_SERVICE_H_
#define UNBRAID_SERVICES_GATEWAY_SEPARATION_SERVICE_H_

#include <atomic>

#include "services/common/base/executor.h"
#include "services/common/telemetry/metrics.h"
#include "services/gateway/backends.h"
#include "services/gateway/config.h"
#include "services/gateway/stream_lives.h"
#include "services/gateway/watch_share.h"
#include "unbraid/v1/separation_service.grpc.pb.h"

namespace unbraid::gateway {

// unbraid.v1.SeparationService: separations are created through the splitter, everything else is
// the assembler's.
class SeparationServiceImpl : public v1::SeparationService::CallbackService {
 public:
  // `sessions` has config.max_separate_calls threads.
  SeparationServiceImpl(const Config& config, const Backends* backends, base::Executor* sessions,
                        telemetry::Metrics* metrics)
      : config_(config),
        backends_(backends),
        sessions_(sessions),
        metrics_(metrics),
        watches_(backends->assembler(), metrics),
        lives_(config.max_stream_age) {}

  // Ends the streams that may be silent for long, and those that begin later: the gateway leaves.
  void EndStreams() { lives_.EndAll(); }

  using Context = grpc::CallbackServerContext;

  grpc::ServerUnaryReactor* CreateSeparation(Context* context,
                                             const v1::CreateSeparationRequest* request,
                                             v1::Separation* response) override;
  grpc::ServerUnaryReactor* GetSeparation(Context* context, const v1::GetSeparationRequest* request,
                                          v1::Separation* response) override;
  grpc::ServerUnaryReactor* ListSeparations(Context* context,
                                            const v1::ListSeparationsRequest* request,
                                            v1::ListSeparationsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchSeparationResponse>* WatchSeparation(
      Context* context, const v1::WatchSeparationRequest* request) override;
  grpc::ServerUnaryReactor* CancelSeparation(Context* context,
                                             const v1::CancelSeparationRequest* request,
                                             v1::Separation* response) override;
  grpc::ServerUnaryReactor* DeleteSeparation(Context* context,
                                             const v1::DeleteSeparationRequest* request,
                                             google::protobuf::Empty* response) override;
  grpc::ServerUnaryReactor* ListChunks(Context* context, const v1::ListChunksRequest* request,
                                       v1::ListChunksResponse* response) override;
  grpc::ServerWriteReactor<v1::DownloadStemResponse>* DownloadStem(
      Context* context, const v1::DownloadStemRequest* request) override;
  grpc::ServerBidiReactor<v1::SeparateRequest, v1::SeparateResponse>* Separate(
      Context* context) override;

 private:
  const Config config_;
  const Backends* const backends_;
  base::Executor* const sessions_;
  telemetry::Metrics* const metrics_;
  WatchShare watches_;
  StreamLives lives_;
  std::atomic<int> separate_calls_{0};
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_SEPARATION_SERVICE_H_
