#include "services/assembler/assembler_service.h"

#include <google/protobuf/util/time_util.h>

#include <utility>

#include "services/assembler/download_reactor.h"
#include "services/assembler/follow_reactor.h"
#include "services/assembler/song_reactor.h"
#include "services/assembler/watch_reactor.h"
#include "services/assembler/work_reactor.h"
#include "services/common/grpc/channel.h"
#include "services/common/grpc/unary.h"

namespace unbraid::assembler {

using google::protobuf::util::TimeUtil;
using grpc_util::OwnerOf;
using Empty = google::protobuf::Empty;

template <typename Response, typename Work>
grpc::ServerUnaryReactor* AssemblerServiceImpl::Answer(Context* context, Response* response,
                                                       Work work) {
  return grpc_util::RunUnary(parts_.engine_executor, context, [response, work]() -> absl::Status {
    UNBRAID_ASSIGN_OR_RETURN(*response, work());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::OpenSeparation(
    Context* context, const internal::v1::OpenSeparationRequest* request,
    internal::v1::OpenSeparationResponse* response) {
  return Answer(context, response, [this, owner = OwnerOf(*context), request] {
    return parts_.engine->Open(owner, *request);
  });
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::PlanSeparation(
    Context* context, const internal::v1::PlanSeparationRequest* request, Empty*) {
  return grpc_util::RunUnary(parts_.engine_executor, context,
                             [this, request] { return parts_.engine->Plan(*request); });
}

grpc::ServerReadReactor<internal::v1::PutSongRequest>* AssemblerServiceImpl::PutSong(Context*,
                                                                                     Empty*) {
  return new SongReactor(parts_.engine, parts_.engine_executor, parts_.disk_executor);
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::FailSeparation(
    Context* context, const internal::v1::FailSeparationRequest* request, Empty*) {
  return grpc_util::RunUnary(parts_.engine_executor, context,
                             [this, request] { return parts_.engine->Fail(*request); });
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::ReportWaiting(
    Context* context, const internal::v1::ReportWaitingRequest* request, Empty*) {
  return grpc_util::RunUnary(parts_.engine_executor, context,
                             [this, request] { return parts_.engine->SetWaiting(*request); });
}

grpc::ServerWriteReactor<internal::v1::WatchWorkResponse>* AssemblerServiceImpl::WatchWork(
    Context*, const internal::v1::WatchWorkRequest* request) {
  return new WorkReactor(request->splitter(), parts_.engine, parts_.engine_executor, parts_.feed);
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::GetSeparation(
    Context* context, const v1::GetSeparationRequest* request, v1::Separation* response) {
  return Answer(context, response,
                [this, owner = OwnerOf(*context), request]() -> absl::StatusOr<v1::Separation> {
                  UNBRAID_ASSIGN_OR_RETURN(const auto id,
                                           base::ParseSeparationName(request->name()));
                  return parts_.engine->Get(owner, id);
                });
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::ListSeparations(
    Context* context, const v1::ListSeparationsRequest* request,
    v1::ListSeparationsResponse* response) {
  return Answer(context, response, [this, owner = OwnerOf(*context), request] {
    return parts_.engine->List(owner, *request);
  });
}

grpc::ServerWriteReactor<v1::WatchSeparationResponse>* AssemblerServiceImpl::WatchSeparation(
    Context* context, const v1::WatchSeparationRequest* request) {
  return new WatchReactor(OwnerOf(*context), request->name(), parts_.engine, parts_.engine_executor,
                          parts_.hub);
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::CancelSeparation(
    Context* context, const v1::CancelSeparationRequest* request, v1::Separation* response) {
  return Answer(context, response,
                [this, owner = OwnerOf(*context), request]() -> absl::StatusOr<v1::Separation> {
                  UNBRAID_ASSIGN_OR_RETURN(const auto id,
                                           base::ParseSeparationName(request->name()));
                  return parts_.engine->Cancel(owner, id);
                });
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::DeleteSeparation(
    Context* context, const v1::DeleteSeparationRequest* request, Empty*) {
  return grpc_util::RunUnary(parts_.engine_executor, context,
                             [this, owner = OwnerOf(*context), request]() -> absl::Status {
                               UNBRAID_ASSIGN_OR_RETURN(const auto id,
                                                        base::ParseSeparationName(request->name()));
                               return parts_.engine->Delete(owner, id);
                             });
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::ListChunks(Context* context,
                                                           const v1::ListChunksRequest* request,
                                                           v1::ListChunksResponse* response) {
  return Answer(context, response, [this, owner = OwnerOf(*context), request] {
    return parts_.engine->ListChunks(owner, *request);
  });
}

grpc::ServerWriteReactor<v1::DownloadStemResponse>* AssemblerServiceImpl::DownloadStem(
    Context* context, const v1::DownloadStemRequest* request) {
  if (request->follow()) {
    return new FollowReactor(
        OwnerOf(*context), *request,
        {parts_.engine, parts_.engine_executor, parts_.disk_executor, parts_.hub, readers_.Take()});
  }
  return new DownloadReactor(
      OwnerOf(*context), *request,
      {parts_.engine, parts_.engine_executor, parts_.disk_executor, readers_.Take()});
}

grpc::ServerUnaryReactor* AssemblerServiceImpl::GetAssemblerStatus(
    Context* context, const internal::v1::GetAssemblerStatusRequest*,
    internal::v1::GetAssemblerStatusResponse* response) {
  const absl::Status ready = parts_.ready();
  response->set_assembler(parts_.name);
  response->mutable_service()->set_name("assembler");
  response->mutable_service()->set_version(UNBRAID_VERSION);
  response->mutable_service()->set_available(ready.ok());
  response->mutable_service()->set_message(std::string(ready.message()));
  if (parts_.separation_retention != absl::InfiniteDuration()) {
    *response->mutable_separation_retention() =
        TimeUtil::MicrosecondsToDuration(absl::ToInt64Microseconds(parts_.separation_retention));
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace unbraid::assembler
