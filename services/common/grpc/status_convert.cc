#include "services/common/grpc/status_convert.h"

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "services/common/base/status.h"

namespace unbraid::grpc_util {
namespace {

constexpr char kDomain[] = "unbraid.v1";
constexpr char kBackendUnavailable[] = "BACKEND_UNAVAILABLE";

std::string SerializedDetails(const absl::Status& status, const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain(kDomain);
  for (const auto& [key, value] : base::FactsOf(status)) (*info.mutable_metadata())[key] = value;
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(std::string(status.message()));
  details.add_details()->PackFrom(info);
  return details.SerializeAsString();
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // absl::StatusCode and grpc::StatusCode share their numbers.
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message(status.message());
  const std::string reason = base::ReasonOf(status);
  if (reason.empty()) return grpc::Status(code, message);
  return grpc::Status(code, message, SerializedDetails(status, reason));
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& any : details.details()) {
      google::rpc::ErrorInfo info;
      if (!any.UnpackTo(&info)) continue;
      return base::Error(code, info.reason(), status.error_message(),
                         base::ErrorFacts(info.metadata().begin(), info.metadata().end()));
    }
  }
  if (code == absl::StatusCode::kUnavailable) {
    return base::Error(code, kBackendUnavailable, status.error_message());
  }
  return absl::Status(code, status.error_message());
}

}  // namespace unbraid::grpc_util
