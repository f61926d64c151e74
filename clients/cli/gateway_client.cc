#include "clients/cli/gateway_client.h"

#include "absl/strings/match.h"
#include "absl/time/clock.h"

namespace unbraid::cli {
namespace {

constexpr absl::Duration kCancelPatience = absl::Seconds(10);
constexpr absl::Duration kCancelPause = absl::Milliseconds(200);

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
  const absl::Time end = absl::Now() + kCancelPatience;
  v1::CancelSeparationRequest request;
  request.set_name(name);
  while (true) {
    grpc::ClientContext context;
    SetDeadline(&context, end - absl::Now());
    v1::Separation separation;
    const absl::Status status =
        grpc_util::FromGrpc(separations_->CancelSeparation(&context, request, &separation));
    if (status.ok()) return separation;
    if (!MayTryAgain(status) || absl::Now() + kCancelPause >= end) return status;
    absl::SleepFor(kCancelPause);
  }
}

bool GatewayClient::MayBeDone(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return !absl::StartsWith(status.error_message(), "failed to connect");
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return true;
    default:
      return false;
  }
}

void GatewayClient::SetDeadline(grpc::ClientContext* context, absl::Duration deadline) {
  context->set_deadline(absl::ToChronoTime(absl::Now() + deadline));
}

}  // namespace unbraid::cli
