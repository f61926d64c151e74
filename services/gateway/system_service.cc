#include "services/gateway/system_service.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "services/gateway/call_record.h"
#include "services/gateway/server_info_call.h"

namespace unbraid::gateway {
namespace {

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

grpc::ServerUnaryReactor* SystemServiceImpl::GetServerInfo(grpc::CallbackServerContext*,
                                                           const v1::GetServerInfoRequest*,
                                                           v1::ServerInfo* response) {
  return new ServerInfoCall(CallRecord("GetServerInfo", metrics_), *backends_, *catalogue_, config_,
                            response);
}

}  // namespace unbraid::gateway
