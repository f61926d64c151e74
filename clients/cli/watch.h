#ifndef UNBRAID_CLIENTS_CLI_WATCH_H_
#define UNBRAID_CLIENTS_CLI_WATCH_H_

#include <string>

#include "absl/status/statusor.h"
#include "clients/cli/gateway_client.h"
#include "clients/cli/reporter.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::cli {

// Follows a separation until it ends and gives its last state; re-attaches when the connection
// breaks. CANCELLED after Ctrl-C: the separation itself goes on.
// `only_to_tell`: also ends when what is seen cannot be told any more, with Reporter::Written.
absl::StatusOr<v1::Separation> WatchUntilEnd(const std::string& name, GatewayClient* client,
                                             Reporter* reporter, bool only_to_tell = false);

bool HasEnded(const v1::Separation& separation);

// OK for a success; the failure, or CANCELLED, as a status otherwise.
absl::Status OutcomeOf(const v1::Separation& separation);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_WATCH_H_
