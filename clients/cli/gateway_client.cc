#include "clients/cli/gateway_client.h"

#include "absl/time/clock.h"

namespace unbraid::cli {
namespace {

constexpr absl::Duration kCancelDeadline = absl::Seconds(5);

}  // namespace

GatewayClient::GatewayClient(const std::string& address, Interrupt* interrupt,
                             absl::Duration patience)
    : GatewayClient(grpc_util::Connect(address), interrupt, patience) {}

GatewayClient::GatewayClient(const std::shared_ptr<grpc::Channel>& channel, Interrupt* interrupt,
                             absl::Duration patience)
    : interrupt_(interrupt),
      patience_(patience),
      tracks_(v1::TrackService::NewStub(channel)),
      separations_(v1::SeparationService::NewStub(channel)),
      system_(v1::SystemService::NewStub(channel)) {}

absl::StatusOr<v1::Separation> GatewayClient::CancelNow(const std::string& name) {
  grpc::ClientContext context;
  SetDeadline(&context, kCancelDeadline);
  v1::CancelSeparationRequest request;
  request.set_name(name);
  v1::Separation separation;
  UNBRAID_RETURN_IF_ERROR(
      grpc_util::FromGrpc(separations_->CancelSeparation(&context, request, &separation)));
  return separation;
}

void GatewayClient::SetDeadline(grpc::ClientContext* context, absl::Duration deadline) {
  context->set_deadline(absl::ToChronoTime(absl::Now() + deadline));
}

}  // namespace unbraid::cli
