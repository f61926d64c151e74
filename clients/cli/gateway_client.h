#ifndef UNBRAID_CLIENTS_CLI_GATEWAY_CLIENT_H_
#define UNBRAID_CLIENTS_CLI_GATEWAY_CLIENT_H_

#include <google/protobuf/empty.pb.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/retry.h"
#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "unbraid/v1/separation_service.grpc.pb.h"
#include "unbraid/v1/system_service.grpc.pb.h"
#include "unbraid/v1/track_service.grpc.pb.h"

namespace unbraid::cli {

// The public API, with deadlines, retries while the gateway is away, and Ctrl-C. Used by one
// thread.
class GatewayClient {
 public:
  GatewayClient(const std::string& address, Interrupt* interrupt, absl::Duration patience);

  v1::TrackService::Stub* tracks() { return tracks_.get(); }
  v1::SeparationService::Stub* separations() { return separations_.get(); }
  v1::SystemService::Stub* system() { return system_.get(); }
  Interrupt* interrupt() { return interrupt_; }

  RetryPolicy MakeRetryPolicy() const { return RetryPolicy(interrupt_, patience_); }

  // A unary call; tried again while the gateway is away, since every method of the API is
  // idempotent.
  template <typename Stub, typename Method, typename Request, typename Response>
  absl::Status Call(Stub* stub, Method method, const Request& request, Response* response) {
    return Retried([&](grpc::ClientContext* context) {
      const Interrupt::Scope scope(interrupt_, context);
      return (stub->*method)(context, request, response);
    });
  }

  // The same, but Ctrl-C waits for the answer: for what must not be begun without knowing its name.
  template <typename Stub, typename Method, typename Request, typename Response>
  absl::Status CallToTheEnd(Stub* stub, Method method, const Request& request, Response* response) {
    return Retried(
        [&](grpc::ClientContext* context) { return (stub->*method)(context, request, response); });
  }

  // As Call, for a removal: after a try whose answer was lost, NOT_FOUND is success.
  template <typename Stub, typename Method, typename Request>
  absl::Status Remove(Stub* stub, Method method, const Request& request) {
    bool maybe_done = false;
    return Retried([&](grpc::ClientContext* context) {
      const Interrupt::Scope scope(interrupt_, context);
      google::protobuf::Empty nothing;
      const grpc::Status status = (stub->*method)(context, request, &nothing);
      if (maybe_done && status.error_code() == grpc::StatusCode::NOT_FOUND) return grpc::Status::OK;
      maybe_done = maybe_done || MayBeDone(status);
      return status;
    });
  }

  // Cancels a separation even after Ctrl-C; goes on trying for some seconds.
  absl::StatusOr<v1::Separation> CancelNow(const std::string& name);

 private:
  template <typename Once>
  absl::Status Retried(const Once& once) {
    RetryPolicy retry = MakeRetryPolicy();
    while (true) {
      grpc::ClientContext context;
      SetDeadline(&context, grpc_util::kUnaryDeadline);
      const absl::Status status = grpc_util::FromGrpc(once(&context));
      if (status.ok()) return status;
      UNBRAID_RETURN_IF_ERROR(retry.Next(status));
    }
  }

  // Whether a call that failed so may have reached its service.
  static bool MayBeDone(const grpc::Status& status);
  static void SetDeadline(grpc::ClientContext* context, absl::Duration deadline);

  Interrupt* const interrupt_;
  const absl::Duration patience_;
  const std::unique_ptr<v1::TrackService::Stub> tracks_;
  const std::unique_ptr<v1::SeparationService::Stub> separations_;
  const std::unique_ptr<v1::SystemService::Stub> system_;

  GatewayClient(const std::shared_ptr<grpc::Channel>& channel, Interrupt* interrupt,
                absl::Duration patience);
};

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_GATEWAY_CLIENT_H_
