#ifndef UNBRAID_SERVICES_SPLITTER_SPLITTER_SERVICE_H_
#define UNBRAID_SERVICES_SPLITTER_SPLITTER_SERVICE_H_

#include <functional>

#include "services/common/base/executor.h"
#include "services/common/model/catalogue.h"
#include "services/splitter/broker.h"
#include "services/splitter/jobs.h"
#include "services/splitter/track_store.h"
#include "services/splitter/upload_reactor.h"
#include "services/splitter/uploads.h"
#include "unbraid/internal/v1/splitter_service.grpc.pb.h"

namespace unbraid::splitter {

// The gRPC face: translates, and hands everything that may block to executors.
class SplitterServiceImpl : public internal::v1::SplitterService::CallbackService {
 public:
  // Nothing is owned. `calls` runs unary calls.
  struct Parts {
    std::string name;
    TrackStore* tracks;
    Uploads* uploads;
    Jobs* jobs;
    ChunkSink* sink;
    SendWindow* window;
    const model::Catalogue* catalogue;
    // What is amiss with the assembler; OK when nothing is.
    std::function<absl::Status()> assembler_state;
    // OK while the disk is not nearly full.
    std::function<absl::Status()> disk_state;
    base::Executor* calls;
    UploadExecutors upload_executors;
  };

  explicit SplitterServiceImpl(const Parts& parts) : parts_(parts) {}

  grpc::ServerReadReactor<v1::UploadTrackRequest>* UploadTrack(
      grpc::CallbackServerContext* context, v1::UploadTrackResponse* response) override;
  grpc::ServerUnaryReactor* GetUpload(grpc::CallbackServerContext* context,
                                      const v1::GetUploadRequest* request,
                                      v1::Upload* response) override;
  grpc::ServerUnaryReactor* GetTrack(grpc::CallbackServerContext* context,
                                     const v1::GetTrackRequest* request,
                                     v1::Track* response) override;
  grpc::ServerUnaryReactor* ListTracks(grpc::CallbackServerContext* context,
                                       const v1::ListTracksRequest* request,
                                       v1::ListTracksResponse* response) override;
  grpc::ServerUnaryReactor* DeleteTrack(grpc::CallbackServerContext* context,
                                        const v1::DeleteTrackRequest* request,
                                        google::protobuf::Empty* response) override;
  grpc::ServerUnaryReactor* StartSeparation(grpc::CallbackServerContext* context,
                                            const internal::v1::StartSeparationRequest* request,
                                            v1::Separation* response) override;
  grpc::ServerUnaryReactor* GetSplitterStatus(
      grpc::CallbackServerContext* context, const internal::v1::GetSplitterStatusRequest* request,
      internal::v1::GetSplitterStatusResponse* response) override;

 private:
  void FillStatus(const internal::v1::GetSplitterStatusRequest& request,
                  internal::v1::GetSplitterStatusResponse* response) const;
  void FillLimits(v1::Limits* response) const;

  const Parts parts_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_SPLITTER_SERVICE_H_
