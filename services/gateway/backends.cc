#include "services/gateway/backends.h"

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

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
  UNBRAID_RETURN_IF_ERROR(CheckService(splitter_call, splitter.service(), "splitter"));
  internal::v1::GetAssemblerStatusResponse assembler;
  const absl::Status assembler_call = grpc_util::Call(
      assembler_.get(), &Assembler::GetAssemblerStatus, internal::v1::GetAssemblerStatusRequest(),
      &assembler, grpc_util::kDefaultOwner, deadline);
  return CheckService(assembler_call, assembler.service(), "assembler");
}

grpc::Status FromBackend(const grpc::Status& status) {
  const bool own =
      status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty();
  if (!own) return status;
  return grpc_util::ToGrpc(base::Error(
      absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
      absl::StrCat("A service behind the gateway does not answer (", status.error_message(),
                   "). Nothing is lost; try again in a moment.")));
}

}  // namespace unbraid::gateway
