#ifndef UNBRAID_CLIENTS_CLI_EXIT_CODE_H_
#define UNBRAID_CLIENTS_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace unbraid::cli {

// What a shell sees. Part of the public contract of the command.
enum class ExitCode : int {
  kDone = 0,
  kUsage = 2,        // the command line is wrong
  kBadInput = 3,     // the song, the model, the name or the folder is: another try changes nothing
  kUnavailable = 4,  // the service or its room is: another try may help
  kFailed = 5,       // the separation failed, or a defect
  kCancelled = 130,  // Ctrl-C, or cancelled by somebody else
};

ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_EXIT_CODE_H_
