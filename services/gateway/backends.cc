#include "services/gateway/backends.h"

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/telemetry/log.h"

namespace unbraid::gateway {
namespace {

absl::Status CheckService(const absl::Status& call, const v1::ServiceStatus& service,
                          const char* name) {
  if (!call.ok()) return absl::UnavailableError(absl::StrCat("the ", name, " does not answer"));
  if (!service.available())
    return absl::UnavailableError(absl::StrCat(name, ": ", service.message()));
  return absl::OkStatus();
}

}  // namespace

Backends::Backends(const std::string& splitter_address, const std::string& assembler_address)
    : splitter_(internal::v1::SplitterService::NewStub(grpc_util::Connect(splitter_address))),
      assembler_(internal::v1::AssemblerService::NewStub(grpc_util::Connect(assembler_address))) {}

absl::Status Backends::Check(absl::Duration deadline) const {
  internal::v1::GetSplitterStatusResponse splitter;
  const absl::Status splitter_call = grpc_util::Call(splitter_.get(), &Splitter::GetSplitterStatus,
                                                     internal::v1::GetSplitterStatusRequest(),
                                                     &splitter, grpc_util::kDefaultOwner, deadline);
  UNBRAID_RETURN_IF_ERROR(CheckService(splitter_call, splitter.service(), kSplitter));
  internal::v1::GetAssemblerStatusResponse assembler;
  const absl::Status assembler_call = grpc_util::Call(
      assembler_.get(), &Assembler::GetAssemblerStatus, internal::v1::GetAssemblerStatusRequest(),
      &assembler, grpc_util::kDefaultOwner, deadline);
  return CheckService(assembler_call, assembler.service(), kAssembler);
}

grpc::Status FromBackend(const grpc::Status& status, const char* service, bool client_gone) {
  if (status.ok() || client_gone || !status.error_details().empty()) return status;
  const grpc::StatusCode code = status.error_code();
  const bool slow = code == grpc::StatusCode::DEADLINE_EXCEEDED;
  // CANCELLED although the client is still there: the backend has broken the call off.
  const bool away = code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED;
  if (!slow && !away) return status;
  telemetry::Warning("a backend does not answer",
                     {{"backend", service}, {"cause", status.error_message()}});
  if (slow) {
    return grpc_util::ToGrpc(base::Error(
        absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
        absl::StrCat("The ", service,
                     " did not answer in time. Try again; what it has begun goes on.")));
  }
  return grpc_util::ToGrpc(base::Error(
      absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
      absl::StrCat("The ", service, " does not answer. Nothing is lost; try again in a moment.")));
}

}  // namespace unbraid::gateway
