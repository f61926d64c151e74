#ifndef UNBRAID_CLIENTS_CLI_DOWNLOAD_H_
#define UNBRAID_CLIENTS_CLI_DOWNLOAD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "clients/cli/gateway_client.h"
#include "clients/cli/reporter.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::cli {

// Makes sure that files can be written there, before any work is asked for. INVALID_ARGUMENT
// (OUTPUT_NOT_WRITABLE).
absl::Status PrepareOutputFolder(const std::string& folder);

// Fetches results into `folder`/<stem>.<extension>; all of them if `only` is empty. Each file
// appears whole, checked against its SHA-256 and safe on the disk, or not at all. Goes on where it
// was when the connection breaks. INTERNAL when the server gives a name that is no plain file name.
absl::Status DownloadOutputs(const v1::Separation& separation, const std::vector<std::string>& only,
                             const std::string& folder, GatewayClient* client, Reporter* reporter);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_DOWNLOAD_H_
