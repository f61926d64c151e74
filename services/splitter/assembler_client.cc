#include "services/splitter/assembler_client.h"

#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"

namespace unbraid::splitter {

using Stub = internal::v1::AssemblerService::Stub;

GrpcAssemblerClient::GrpcAssemblerClient(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(internal::v1::AssemblerService::NewStub(channel)) {}

template <typename Method, typename Request, typename Response>
absl::Status GrpcAssemblerClient::Call(Method method, const Request& request, Response* response,
                                       const std::string& owner) {
  return grpc_util::Call(stub_.get(), method, request, response, owner, grpc_util::kUnaryDeadline,
                         &shutdown_);
}

absl::StatusOr<internal::v1::OpenSeparationResponse> GrpcAssemblerClient::Open(
    const std::string& owner, const internal::v1::OpenSeparationRequest& request) {
  internal::v1::OpenSeparationResponse response;
  UNBRAID_RETURN_IF_ERROR(Call(&Stub::OpenSeparation, request, &response, owner));
  return response;
}

absl::StatusOr<v1::Separation> GrpcAssemblerClient::Get(const std::string& owner,
                                                        const std::string& name) {
  v1::GetSeparationRequest request;
  request.set_name(name);
  v1::Separation separation;
  UNBRAID_RETURN_IF_ERROR(Call(&Stub::GetSeparation, request, &separation, owner));
  return separation;
}

absl::Status GrpcAssemblerClient::Plan(const std::string& owner,
                                       const internal::v1::PlanSeparationRequest& request) {
  google::protobuf::Empty empty;
  return Call(&Stub::PlanSeparation, request, &empty, owner);
}

absl::Status GrpcAssemblerClient::PutSong(const std::string& owner, const SongFile& song,
                                          grpc_util::Cancellation* cancellation) {
  return SendSong(stub_.get(), owner, song, cancellation);
}

absl::Status GrpcAssemblerClient::Fail(const std::string& owner,
                                       const internal::v1::FailSeparationRequest& request) {
  google::protobuf::Empty empty;
  return Call(&Stub::FailSeparation, request, &empty, owner);
}

absl::Status GrpcAssemblerClient::ReportWaiting(const std::string& owner,
                                                const internal::v1::ReportWaitingRequest& request) {
  google::protobuf::Empty empty;
  return Call(&Stub::ReportWaiting, request, &empty, owner);
}

}  // namespace unbraid::splitter
