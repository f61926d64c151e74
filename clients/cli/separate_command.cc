#include <filesystem>

#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/download.h"
#include "clients/cli/follow.h"
#include "clients/cli/mix_option.h"
#include "clients/cli/output_options.h"
#include "clients/cli/text_format.h"
#include "clients/cli/upload.h"
#include "clients/cli/watch.h"

namespace unbraid::cli {
namespace {

absl::StatusOr<v1::Separation> CreateSeparation(const Options& options, const std::string& track,
                                                GatewayClient* client) {
  UNBRAID_ASSIGN_OR_RETURN(const auto gains, ParseMix(options.mix));
  v1::CreateSeparationRequest request;
  v1::Separation* wanted = request.mutable_separation();
  wanted->set_track(track);
  wanted->set_model(options.model);
  for (const std::string& stem : options.stems) wanted->add_stems(stem);
  for (const auto& [stem, gain] : gains) (*wanted->mutable_mix()->mutable_gains())[stem] = gain;
  wanted->set_residual(options.residual);
  wanted->set_shifts(options.shifts);
  wanted->set_shift_seed(options.shift_seed);
  *wanted->mutable_output_format() = OutputFormatOf(options.output);
  v1::Separation separation;
  // Not broken off by Ctrl-C: what was created must be known to be cancelled.
  UNBRAID_RETURN_IF_ERROR(client->CallToTheEnd(
      client->separations(), &v1::SeparationService::Stub::CreateSeparation, request, &separation));
  return separation;
}

// Ctrl-C: the user wants the work to stop, not only the view of it.
absl::Status CancelAfterInterrupt(const std::string& name, GatewayClient* client) {
  const absl::Status status = client->CancelNow(name).status();
  if (status.ok()) return absl::CancelledError(absl::StrCat(name, " was cancelled."));
  return absl::CancelledError(absl::StrCat(name, " could not be cancelled (", status.message(),
                                           "); try `unbraid cancel ", name, "`."));
}

// Only to hear a stem, without files.
absl::Status PlayOnly(const Options& options, const std::string& name, GatewayClient* client,
                      Reporter* reporter) {
  const absl::Status played = PlayStem(options, name, client, reporter);
  return client->interrupt()->requested() ? CancelAfterInterrupt(name, client) : played;
}

absl::Status FetchFiles(const std::string& name, const std::string& folder, GatewayClient* client,
                        Reporter* reporter) {
  const absl::StatusOr<v1::Separation> ended = WatchUntilEnd(name, client, reporter);
  if (client->interrupt()->requested()) return CancelAfterInterrupt(name, client);
  UNBRAID_RETURN_IF_ERROR(ended.status());
  UNBRAID_RETURN_IF_ERROR(OutcomeOf(*ended));
  UNBRAID_RETURN_IF_ERROR(DownloadOutputs(*ended, {}, folder, client, reporter));
  reporter->Show("done", *ended, "");
  return absl::OkStatus();
}

// Both at once. The files come first where both have something to tell.
absl::Status PlayAndFetch(const Options& options, const std::string& name,
                          const std::string& folder, GatewayClient* client, Reporter* reporter) {
  BackgroundPlay play(options, name, client->interrupt());
  const absl::Status fetched = FetchFiles(name, folder, client, reporter);
  const absl::Status played = play.Join();
  return fetched.ok() ? played : fetched;
}

}  // namespace

std::string DefaultOutputFolder(const std::string& song) {
  std::string name = std::filesystem::path(song).stem().string();
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '_';
  }
  return name.empty() || name == "." || name == ".." ? "stems" : absl::StrCat("./", name);
}

absl::Status Separate(const Options& options, GatewayClient* client, Reporter* reporter) {
  const std::string folder =
      options.output_folder.empty() ? DefaultOutputFolder(options.file) : options.output_folder;
  UNBRAID_RETURN_IF_ERROR(CheckSong(options.file));  // before the folder is made for nothing
  if (!options.no_files) UNBRAID_RETURN_IF_ERROR(PrepareOutputFolder(folder));
  UNBRAID_ASSIGN_OR_RETURN(const v1::Track track, UploadFile(options, client, reporter));
  reporter->Uploaded(track);
  UNBRAID_ASSIGN_OR_RETURN(const v1::Separation separation,
                           CreateSeparation(options, track.name(), client));
  const std::string& name = separation.name();
  if (options.play_stem.empty()) return FetchFiles(name, folder, client, reporter);
  UNBRAID_RETURN_IF_ERROR(CheckFollowable(separation, options.play_stem));
  return options.no_files ? PlayOnly(options, name, client, reporter)
                          : PlayAndFetch(options, name, folder, client, reporter);
}

absl::Status Create(const Options& options, GatewayClient* client, Reporter* reporter) {
  UNBRAID_ASSIGN_OR_RETURN(const v1::Separation separation,
                           CreateSeparation(options, options.name, client));
  reporter->Show("separation", separation, Describe(separation));
  return absl::OkStatus();
}

}  // namespace unbraid::cli
