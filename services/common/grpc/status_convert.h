#ifndef UNBRAID_SERVICES_COMMON_GRPC_STATUS_CONVERT_H_
#define UNBRAID_SERVICES_COMMON_GRPC_STATUS_CONVERT_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace unbraid::grpc_util {

// The one way out: code and message as they are, reason and facts as a google.rpc.ErrorInfo (domain
// `unbraid.v1`) in the status details.
grpc::Status ToGrpc(const absl::Status& status);

// The one way in, for answers of other services. Reason and facts come back out of the details; a
// status that gRPC itself made (no connection) gets the reason BACKEND_UNAVAILABLE where its code
// is UNAVAILABLE.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace unbraid::grpc_util

#endif  // UNBRAID_SERVICES_COMMON_GRPC_STATUS_CONVERT_H_
