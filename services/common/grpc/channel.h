#ifndef UNBRAID_SERVICES_COMMON_GRPC_CHANNEL_H_
#define UNBRAID_SERVICES_COMMON_GRPC_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/grpc/cancellation.h"
#include "services/common/grpc/status_convert.h"

namespace unbraid::grpc_util {

// Request metadata that carries the owner between services.
inline constexpr char kOwnerKey[] = "x-unbraid-owner";
// The owner of everything while there is no authentication.
inline constexpr char kDefaultOwner[] = "default";
// How long a unary call between services may take unless its place says otherwise.
inline constexpr absl::Duration kUnaryDeadline = absl::Seconds(20);

// A channel that connects when first used and reconnects by itself (backoff up to 5 s).
// Unencrypted: it is meant for loopback and for a cluster's own network.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

// Sets deadline and owner of a call to another service. An infinite `deadline` sets none (streams
// that watch).
void PrepareCall(grpc::ClientContext* context, absl::Duration deadline, const std::string& owner);

// The owner that a caller of ours named, or kDefaultOwner.
std::string OwnerOf(const grpc::ServerContextBase& context);

// A synchronous unary call with a deadline: Call(stub.get(), &Stub::Method, request, &response,
// owner). It blocks: never from a gRPC reaction. Nobody cancels it but at shutdown; so when gRPC
// says CANCELLED, as it does of a server that is shutting down, that is UNAVAILABLE
// (BACKEND_UNAVAILABLE).
template <typename Stub, typename Method, typename Request, typename Response>
absl::Status Call(Stub* stub, Method method, const Request& request, Response* response,
                  const std::string& owner, absl::Duration deadline = kUnaryDeadline,
                  Cancellation* shutdown = nullptr) {
  grpc::ClientContext context;
  PrepareCall(&context, deadline, owner);
  const Cancellation::Scope scope(shutdown, &context);
  grpc::Status status = (stub->*method)(&context, request, response);
  if (status.error_code() == grpc::StatusCode::CANCELLED && status.error_details().empty()) {
    status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "the service is shutting down");
  }
  return FromGrpc(status);
}

}  // namespace unbraid::grpc_util

#endif  // UNBRAID_SERVICES_COMMON_GRPC_CHANNEL_H_
