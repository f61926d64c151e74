#include <google/protobuf/empty.pb.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/text_format.h"

namespace unbraid::cli {
namespace {

constexpr int kPageSize = 100;

bool IsTrack(const std::string& name) { return absl::StartsWith(name, "tracks/"); }

// Fetches every page of a list, and shows each as it comes.
template <typename Response, typename Stub, typename Method, typename Request>
absl::Status ShowPages(const std::string& kind, Stub* stub, Method method, Request request,
                       GatewayClient* client, Reporter* reporter) {
  request.set_page_size(kPageSize);
  do {
    Response page;
    UNBRAID_RETURN_IF_ERROR(client->Call(stub, method, request, &page));
    reporter->Show(kind, page, Describe(page));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

}  // namespace

absl::Status Get(const Options& options, GatewayClient* client, Reporter* reporter) {
  if (IsTrack(options.name)) {
    v1::GetTrackRequest request;
    request.set_name(options.name);
    v1::Track track;
    UNBRAID_RETURN_IF_ERROR(
        client->Call(client->tracks(), &v1::TrackService::Stub::GetTrack, request, &track));
    reporter->Show("track", track, Describe(track));
    return absl::OkStatus();
  }
  v1::GetSeparationRequest request;
  request.set_name(options.name);
  v1::Separation separation;
  UNBRAID_RETURN_IF_ERROR(client->Call(
      client->separations(), &v1::SeparationService::Stub::GetSeparation, request, &separation));
  reporter->Show("separation", separation, Describe(separation));
  return absl::OkStatus();
}

absl::Status Delete(const Options& options, GatewayClient* client, Reporter* reporter) {
  if (IsTrack(options.name)) {
    v1::DeleteTrackRequest request;
    request.set_name(options.name);
    UNBRAID_RETURN_IF_ERROR(
        client->Remove(client->tracks(), &v1::TrackService::Stub::DeleteTrack, request));
  } else {
    v1::DeleteSeparationRequest request;
    request.set_name(options.name);
    UNBRAID_RETURN_IF_ERROR(client->Remove(
        client->separations(), &v1::SeparationService::Stub::DeleteSeparation, request));
  }
  reporter->Show("deleted", google::protobuf::Empty(), absl::StrCat(options.name, " deleted\n"));
  return absl::OkStatus();
}

absl::Status List(const Options& options, GatewayClient* client, Reporter* reporter) {
  if (options.name == "tracks") {
    return ShowPages<v1::ListTracksResponse>("tracks", client->tracks(),
                                             &v1::TrackService::Stub::ListTracks,
                                             v1::ListTracksRequest(), client, reporter);
  }
  return ShowPages<v1::ListSeparationsResponse>("separations", client->separations(),
                                                &v1::SeparationService::Stub::ListSeparations,
                                                v1::ListSeparationsRequest(), client, reporter);
}

absl::Status Models(GatewayClient* client, Reporter* reporter) {
  return ShowPages<v1::ListModelsResponse>("models", client->system(),
                                           &v1::SystemService::Stub::ListModels,
                                           v1::ListModelsRequest(), client, reporter);
}

absl::Status Info(GatewayClient* client, Reporter* reporter) {
  v1::ServerInfo info;
  UNBRAID_RETURN_IF_ERROR(client->Call(client->system(), &v1::SystemService::Stub::GetServerInfo,
                                       v1::GetServerInfoRequest(), &info));
  reporter->Show("info", info, Describe(info));
  return absl::OkStatus();
}

}  // namespace unbraid::cli
