#include "services/gateway/server_info_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/gateway/upload_checks.h"

namespace unbraid::gateway {
namespace {

// Both are asked at once; an answer comes within 3 s even when they are away.
constexpr absl::Duration kStatusDeadline = absl::Milliseconds(2500);

v1::ServiceStatus Away(const char* name, const grpc::Status& status) {
  v1::ServiceStatus service;
  service.set_name(name);
  service.set_message(absl::StrCat("The ", name, " does not answer (",
                                   absl::StatusCodeToString(grpc_util::FromGrpc(status).code()),
                                   "); nothing that needs it can be done until it does."));
  return service;
}

}  // namespace

ServerInfoCall::ServerInfoCall(CallRecord record, const Backends& backends,
                               const model::Catalogue& catalogue, const Config& config,
                               v1::ServerInfo* info)
    : record_(std::move(record)), max_upload_bytes_(config.max_upload_bytes), info_(info) {
  for (const model::Package& package : catalogue.packages()) {
    splitter_request_.add_models(package.name);
  }
  grpc_util::PrepareCall(&splitter_context_, kStatusDeadline, grpc_util::kDefaultOwner);
  grpc_util::PrepareCall(&assembler_context_, kStatusDeadline, grpc_util::kDefaultOwner);
  backends.splitter()->async()->GetSplitterStatus(&splitter_context_, &splitter_request_,
                                                  &splitter_, [this](grpc::Status status) {
                                                    splitter_status_ = std::move(status);
                                                    OnAnswer();
                                                  });
  backends.assembler()->async()->GetAssemblerStatus(&assembler_context_, &assembler_request_,
                                                    &assembler_, [this](grpc::Status status) {
                                                      assembler_status_ = std::move(status);
                                                      OnAnswer();
                                                    });
}

void ServerInfoCall::OnCancel() {
  splitter_context_.TryCancel();
  assembler_context_.TryCancel();
}

void ServerInfoCall::OnAnswer() {
  if (--waiting_ > 0) return;
  Fill();
  record_.Finish(grpc::Status::OK);
  Finish(grpc::Status::OK);  // `this` may be gone afterwards
}

void ServerInfoCall::Fill() {
  info_->set_version(UNBRAID_VERSION);
  *info_->add_services() =
      splitter_status_.ok() ? splitter_.service() : Away(kSplitter, splitter_status_);
  *info_->add_services() =
      assembler_status_.ok() ? assembler_.service() : Away(kAssembler, assembler_status_);
  *info_->mutable_broker() = splitter_.broker();
  if (!splitter_status_.ok()) {
    info_->mutable_broker()->set_message("Unknown, because the splitter does not answer.");
  }
  *info_->mutable_queues() = splitter_.queues();
  *info_->mutable_limits() = splitter_.limits();
  v1::Limits* limits = info_->mutable_limits();
  if (assembler_.has_separation_retention())
    *limits->mutable_separation_retention() = assembler_.separation_retention();
  limits->set_max_part_bytes(kMaxPartBytes);
  limits->set_max_upload_bytes(limits->max_upload_bytes() > 0
                                   ? std::min(max_upload_bytes_, limits->max_upload_bytes())
                                   : max_upload_bytes_);
}

}  // namespace unbraid::gateway
