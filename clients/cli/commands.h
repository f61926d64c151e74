#ifndef UNBRAID_CLIENTS_CLI_COMMANDS_H_
#define UNBRAID_CLIENTS_CLI_COMMANDS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/cli/gateway_client.h"
#include "clients/cli/options.h"
#include "clients/cli/reporter.h"

namespace unbraid::cli {

// One function per sub-command. Each tells the reporter what it did and returns what went wrong.

absl::Status Separate(const Options& options, GatewayClient* client, Reporter* reporter);
absl::Status Create(const Options& options, GatewayClient* client, Reporter* reporter);

absl::Status UploadCommand(const Options& options, GatewayClient* client, Reporter* reporter);
absl::Status Watch(const Options& options, GatewayClient* client, Reporter* reporter);
absl::Status DownloadCommand(const Options& options, GatewayClient* client, Reporter* reporter);
absl::Status Cancel(const Options& options, GatewayClient* client, Reporter* reporter);

absl::Status Get(const Options& options, GatewayClient* client, Reporter* reporter);
absl::Status Delete(const Options& options, GatewayClient* client, Reporter* reporter);
absl::Status List(const Options& options, GatewayClient* client, Reporter* reporter);
absl::Status Models(GatewayClient* client, Reporter* reporter);
absl::Status Info(GatewayClient* client, Reporter* reporter);

// `song.ogg` → `song`: a folder for the stems of a song, without anything that could lead out of
// the working folder.
std::string DefaultOutputFolder(const std::string& song);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_COMMANDS_H_
