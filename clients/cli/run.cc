#include "clients/cli/run.h"

#include <iostream>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"

namespace unbraid::cli {
namespace {

absl::Status RunCommand(const Options& options, GatewayClient* client, Reporter* reporter) {
  switch (options.command) {
    case CommandKind::kSeparate:
      return Separate(options, client, reporter);
    case CommandKind::kUpload:
      return UploadCommand(options, client, reporter);
    case CommandKind::kCreate:
      return Create(options, client, reporter);
    case CommandKind::kWatch:
      return Watch(options, client, reporter);
    case CommandKind::kGet:
      return Get(options, client, reporter);
    case CommandKind::kDownload:
      return DownloadCommand(options, client, reporter);
    case CommandKind::kCancel:
      return Cancel(options, client, reporter);
    case CommandKind::kDelete:
      return Delete(options, client, reporter);
    case CommandKind::kList:
      return List(options, client, reporter);
    case CommandKind::kModels:
      return Models(client, reporter);
    case CommandKind::kInfo:
      return Info(client, reporter);
  }
  return absl::InternalError("unknown command");
}

// gRPC's own words name an address and an errno; people need to know what to do.
absl::Status Explain(const absl::Status& status, const std::string& gateway) {
  if (!absl::StartsWith(status.message(), "failed to connect")) return status;
  return base::Error(
      status.code(), base::ReasonOf(status),
      absl::StrCat("No gateway answers at ", gateway,
                   ". Start one (scripts/stack.sh up), or name another with --gateway."));
}

}  // namespace

int Run(int argc, char** argv) {
  Options options;
  if (std::optional<int> status = ParseOptions(argc, argv, &options)) return *status;
  const ResultsTo results =
      options.play_stem.empty() ? ResultsTo::kStandardOutput : ResultsTo::kStandardError;
  const std::unique_ptr<Reporter> reporter =
      options.json ? MakeJsonReporter(results) : MakeTextReporter(results);
  Interrupt interrupt;
  GatewayClient client(options.gateway, &interrupt, options.patience);
  absl::Status status = RunCommand(options, &client, reporter.get());
  if (!status.ok() && interrupt.requested()) {
    status = base::Error(
        absl::StatusCode::kCancelled, "INTERRUPTED",
        status.code() == absl::StatusCode::kCancelled ? status.message() : "Interrupted.");
  }
  if (!status.ok()) reporter->Failed(Explain(status, options.gateway));
  const absl::Status written = reporter->Written();
  if (!written.ok()) std::cerr << "unbraid: " << written.message() << std::endl;
  return static_cast<int>(ExitCodeOf(status.ok() ? written : status));
}

}  // namespace unbraid::cli
