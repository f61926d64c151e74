#ifndef UNBRAID_SERVICES_GATEWAY_TRACK_SERVICE_H_
#define UNBRAID_SERVICES_GATEWAY_TRACK_SERVICE_H_

#include "services/common/telemetry/metrics.h"
#include "services/gateway/backends.h"
#include "services/gateway/config.h"
#include "unbraid/v1/track_service.grpc.pb.h"

namespace unbraid::gateway {

// unbraid.v1.TrackService, by way of the splitter.
class TrackServiceImpl : public v1::TrackService::CallbackService {
 public:
  TrackServiceImpl(const Config& config, const Backends* backends, telemetry::Metrics* metrics)
      : config_(config), backends_(backends), metrics_(metrics) {}

  using Context = grpc::CallbackServerContext;

  grpc::ServerReadReactor<v1::UploadTrackRequest>* UploadTrack(
      Context* context, v1::UploadTrackResponse* response) override;
  grpc::ServerUnaryReactor* GetUpload(Context* context, const v1::GetUploadRequest* request,
                                      v1::Upload* response) override;
  grpc::ServerUnaryReactor* GetTrack(Context* context, const v1::GetTrackRequest* request,
                                     v1::Track* response) override;
  grpc::ServerUnaryReactor* ListTracks(Context* context, const v1::ListTracksRequest* request,
                                       v1::ListTracksResponse* response) override;
  grpc::ServerUnaryReactor* DeleteTrack(Context* context, const v1::DeleteTrackRequest* request,
                                        google::protobuf::Empty* response) override;

 private:
  const Config config_;
  const Backends* const backends_;
  telemetry::Metrics* const metrics_;
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_TRACK_SERVICE_H_
