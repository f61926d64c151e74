#include "clients/cli/commands.h"
#include "clients/cli/download.h"
#include "clients/cli/follow.h"
#include "clients/cli/text_format.h"
#include "clients/cli/upload.h"
#include "clients/cli/watch.h"

namespace unbraid::cli {

absl::Status UploadCommand(const Options& options, GatewayClient* client, Reporter* reporter) {
  UNBRAID_ASSIGN_OR_RETURN(const v1::Track track, UploadFile(options, client, reporter));
  reporter->Show("track", track, Describe(track));
  return absl::OkStatus();
}

absl::Status Watch(const Options& options, GatewayClient* client, Reporter* reporter) {
  UNBRAID_ASSIGN_OR_RETURN(const v1::Separation separation,
                           WatchUntilEnd(options.name, client, reporter, /*only_to_tell=*/true));
  UNBRAID_RETURN_IF_ERROR(OutcomeOf(separation));
  reporter->Show("separation", separation, Describe(separation));
  return absl::OkStatus();
}

absl::Status DownloadCommand(const Options& options, GatewayClient* client, Reporter* reporter) {
  if (!options.play_stem.empty()) return PlayStem(options, options.name, client, reporter);
  UNBRAID_RETURN_IF_ERROR(PrepareOutputFolder(options.output_folder));
  v1::GetSeparationRequest request;
  request.set_name(options.name);
  v1::Separation separation;
  UNBRAID_RETURN_IF_ERROR(client->Call(
      client->separations(), &v1::SeparationService::Stub::GetSeparation, request, &separation));
  UNBRAID_RETURN_IF_ERROR(OutcomeOf(separation));
  return DownloadOutputs(separation, options.stems, options.output_folder, client, reporter);
}

absl::Status Cancel(const Options& options, GatewayClient* client, Reporter* reporter) {
  v1::CancelSeparationRequest request;
  request.set_name(options.name);
  v1::Separation separation;
  UNBRAID_RETURN_IF_ERROR(client->Call(
      client->separations(), &v1::SeparationService::Stub::CancelSeparation, request, &separation));
  reporter->Show("separation", separation, Describe(separation));
  return absl::OkStatus();
}

}  // namespace unbraid::cli
