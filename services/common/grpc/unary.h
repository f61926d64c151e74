#ifndef UNBRAID_SERVICES_COMMON_GRPC_UNARY_H_
#define UNBRAID_SERVICES_COMMON_GRPC_UNARY_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <utility>

#include "absl/status/status.h"
#include "services/common/base/executor.h"
#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"

namespace unbraid::grpc_util {

// What a caller is told whom there is no place for. RESOURCE_EXHAUSTED (OVERLOADED).
inline absl::Status Overloaded() {
  return base::Error(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                     "Too many calls are waiting here; try again soon.");
}

// Answers a unary call from the executor: `work` is a function () -> absl::Status that fills the
// response and may block. gRPC keeps request, response and context alive until the call is
// finished, so `work` may refer to them. When the executor is full the caller gets
// Overloaded().
template <typename Work>
grpc::ServerUnaryReactor* RunUnary(base::Executor* executor, grpc::CallbackServerContext* context,
                                   Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool accepted = executor->TryPost(
      [reactor, work = std::move(work)]() mutable { reactor->Finish(ToGrpc(work())); });
  if (!accepted) {
    reactor->Finish(ToGrpc(Overloaded()));
  }
  return reactor;
}

}  // namespace unbraid::grpc_util

#endif  // UNBRAID_SERVICES_COMMON_GRPC_UNARY_H_
