#ifndef UNBRAID_CLIENTS_CLI_EXIT_CODE_H_
#define UNBRAID_CLIENTS_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace unbraid::cli {

// What a shell sees. Part of the public contract of the command; docs/json.md describes it.
enum class ExitCode : int {
  kDone = 0,
  kUsage = 2,  // the command line is wrong
  // The song, the model, the name or the folder is wrong, and another try changes nothing; but when
  // the reason is NOT_READY or TRACK_IN_USE, waiting does.
  kBadInput = 3,
  kUnavailable = 4,  // the service is away, or room is missing: another try may help
  kFailed = 5,       // the separation failed, or a defect
  kCancelled = 130,  // Ctrl-C, or cancelled by somebody else
};

ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_EXIT_CODE_H_
