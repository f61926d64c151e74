#ifndef UNBRAID_CLIENTS_CLI_UPLOAD_H_
#define UNBRAID_CLIENTS_CLI_UPLOAD_H_

#include <string>

#include "absl/status/statusor.h"
#include "clients/cli/gateway_client.h"
#include "clients/cli/options.h"
#include "clients/cli/reporter.h"
#include "unbraid/v1/track.pb.h"

namespace unbraid::cli {

// NOT_FOUND (NO_SUCH_FILE) unless `path` is a file that can be read.
absl::Status CheckSong(const std::string& path);

// Sends `options.file` in parts and gives its track. When the connection breaks it goes on at the
// committed size, as long as the client's patience lasts. The label is the file's name without
// folders.
absl::StatusOr<v1::Track> UploadFile(const Options& options, GatewayClient* client,
                                     Reporter* reporter);

// The last part of a path as a label: at most 255 bytes of valid UTF-8, bytes that are none
// replaced.
std::string LabelOf(const std::string& path);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_UPLOAD_H_
