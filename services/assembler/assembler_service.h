#ifndef UNBRAID_SERVICES_ASSEMBLER_ASSEMBLER_SERVICE_H_
#define UNBRAID_SERVICES_ASSEMBLER_ASSEMBLER_SERVICE_H_

#include <functional>
#include <string>

#include "services/assembler/engine.h"
#include "services/common/base/places.h"
#include "unbraid/internal/v1/assembler_service.grpc.pb.h"

namespace unbraid::assembler {

// Translates between gRPC and the engine; everything happens on the engine's thread or in the
// reactors.
class AssemblerServiceImpl : public internal::v1::AssemblerService::CallbackService {
 public:
  struct Parts {
    Engine* engine = nullptr;
    base::Executor* engine_executor = nullptr;
    base::Executor* disk_executor = nullptr;
    WatchHub* hub = nullptr;
    WorkFeed* feed = nullptr;
    std::string name;
    // What is amiss; OK when nothing is.
    std::function<absl::Status()> ready;
    // Downloads and followers at a time, which keep files open; more are OVERLOADED.
    int most_readers = 1000;
    // How long separations stay; infinite: for ever.
    absl::Duration separation_retention = absl::InfiniteDuration();
  };

  explicit AssemblerServiceImpl(Parts parts)
      : parts_(std::move(parts)), readers_(parts_.most_readers) {}

  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;

  Unary* OpenSeparation(Context* context, const internal::v1::OpenSeparationRequest* request,
                        internal::v1::OpenSeparationResponse* response) override;
  Unary* PlanSeparation(Context* context, const internal::v1::PlanSeparationRequest* request,
                        google::protobuf::Empty* response) override;
  grpc::ServerReadReactor<internal::v1::PutSongRequest>* PutSong(
      Context* context, google::protobuf::Empty* response) override;
  Unary* FailSeparation(Context* context, const internal::v1::FailSeparationRequest* request,
                        google::protobuf::Empty* response) override;
  Unary* ReportWaiting(Context* context, const internal::v1::ReportWaitingRequest* request,
                       google::protobuf::Empty* response) override;
  grpc::ServerWriteReactor<internal::v1::WatchWorkResponse>* WatchWork(
      Context* context, const internal::v1::WatchWorkRequest* request) override;

  Unary* GetSeparation(Context* context, const v1::GetSeparationRequest* request,
                       v1::Separation* response) override;
  Unary* ListSeparations(Context* context, const v1::ListSeparationsRequest* request,
                         v1::ListSeparationsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchSeparationResponse>* WatchSeparation(
      Context* context, const v1::WatchSeparationRequest* request) override;
  Unary* CancelSeparation(Context* context, const v1::CancelSeparationRequest* request,
                          v1::Separation* response) override;
  Unary* DeleteSeparation(Context* context, const v1::DeleteSeparationRequest* request,
                          google::protobuf::Empty* response) override;
  Unary* ListChunks(Context* context, const v1::ListChunksRequest* request,
                    v1::ListChunksResponse* response) override;
  grpc::ServerWriteReactor<v1::DownloadStemResponse>* DownloadStem(
      Context* context, const v1::DownloadStemRequest* request) override;
  Unary* GetAssemblerStatus(Context* context,
                            const internal::v1::GetAssemblerStatusRequest* request,
                            internal::v1::GetAssemblerStatusResponse* response) override;

 private:
  // Answers from the engine's thread with the value of `work`, a function () -> StatusOr<Response>.
  template <typename Response, typename Work>
  Unary* Answer(Context* context, Response* response, Work work);

  const Parts parts_;
  base::Places readers_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_ASSEMBLER_SERVICE_H_
