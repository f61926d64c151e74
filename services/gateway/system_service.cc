#include "services/gateway/system_service.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/common/grpc/unary.h"
#include "services/gateway/call_record.h"
#include "services/gateway/upload_checks.h"

namespace unbraid::gateway {
namespace {

// Two services are asked; an answer comes within 3 s even when both are away.
constexpr absl::Duration kStatusDeadline = absl::Milliseconds(1400);
constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 1000;

v1::Model ToProto(const model::Package& package, bool is_default) {
  v1::Model model;
  model.set_name(package.name);
  model.set_version(package.version);
  model.set_title(package.title);
  model.set_sha256(package.sha256);
  for (const std::string& stem : package.stems) model.add_stems(stem);
  model.set_sample_rate_hz(package.sample_rate_hz);
  model.set_channels(package.channels);
  model.set_window_frames(package.window_frames);
  model.set_overlap_frames(package.overlap_frames);
  model.set_licence(package.licence);
  model.set_source(package.source);
  model.set_default_(is_default);
  return model;
}

v1::ServiceStatus Away(const char* name, const absl::Status& status) {
  v1::ServiceStatus service;
  service.set_name(name);
  service.set_message(absl::StrCat("does not answer: ", status.message()));
  return service;
}

}  // namespace

grpc::ServerUnaryReactor* SystemServiceImpl::ListModels(grpc::CallbackServerContext* context,
                                                        const v1::ListModelsRequest* request,
                                                        v1::ListModelsResponse* response) {
  CallRecord record("ListModels", metrics_);
  const grpc::Status status = grpc_util::ToGrpc(FillModels(*request, response));
  record.Finish(status);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

absl::Status SystemServiceImpl::FillModels(const v1::ListModelsRequest& request,
                                           v1::ListModelsResponse* response) const {
  const auto& packages = catalogue_->packages();
  const int page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  if (page_size < 0 || page_size > kMaxPageSize) {
    return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_SIZE",
                       absl::StrCat("A page has 1 to ", kMaxPageSize, " entries."));
  }
  size_t first = 0;
  if (!request.page_token().empty() &&
      (!absl::SimpleAtoi(request.page_token(), &first) || first > packages.size())) {
    return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_TOKEN",
                       "The page token is none of this service's; begin again without one.");
  }
  const size_t end = std::min(packages.size(), first + static_cast<size_t>(page_size));
  for (size_t i = first; i < end; ++i) *response->add_models() = ToProto(packages[i], i == 0);
  if (end < packages.size()) response->set_next_page_token(absl::StrCat(end));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* SystemServiceImpl::GetServerInfo(grpc::CallbackServerContext* context,
                                                           const v1::GetServerInfoRequest*,
                                                           v1::ServerInfo* response) {
  return grpc_util::RunUnary(
      executor_, context,
      [this, response, record = CallRecord("GetServerInfo", metrics_)]() mutable {
        FillInfo(response);
        record.Finish(grpc::Status::OK);
        return absl::OkStatus();
      });
}

void SystemServiceImpl::FillInfo(v1::ServerInfo* info) const {
  info->set_version(UNBRAID_VERSION);
  internal::v1::GetSplitterStatusRequest request;
  for (const model::Package& package : catalogue_->packages()) request.add_models(package.name);
  internal::v1::GetSplitterStatusResponse splitter;
  const absl::Status splitter_call =
      grpc_util::Call(backends_->splitter(), &Splitter::GetSplitterStatus, request, &splitter,
                      grpc_util::kDefaultOwner, kStatusDeadline);
  internal::v1::GetAssemblerStatusResponse assembler;
  const absl::Status assembler_call =
      grpc_util::Call(backends_->assembler(), &Assembler::GetAssemblerStatus,
                      internal::v1::GetAssemblerStatusRequest(), &assembler,
                      grpc_util::kDefaultOwner, kStatusDeadline);
  *info->add_services() = splitter_call.ok() ? splitter.service() : Away("splitter", splitter_call);
  *info->add_services() =
      assembler_call.ok() ? assembler.service() : Away("assembler", assembler_call);
  *info->mutable_broker() = splitter.broker();
  if (!splitter_call.ok())
    info->mutable_broker()->set_message("unknown, because the splitter does not answer");
  *info->mutable_queues() = splitter.queues();
  *info->mutable_limits() = splitter.limits();
  v1::Limits* limits = info->mutable_limits();
  limits->set_max_part_bytes(kMaxPartBytes);
  const int64_t own = config_.max_upload_bytes;
  limits->set_max_upload_bytes(
      limits->max_upload_bytes() > 0 ? std::min(own, limits->max_upload_bytes()) : own);
}

}  // namespace unbraid::gateway
