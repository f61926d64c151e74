#include "clients/cli/exit_code.h"

#include <string>

#include "services/common/base/status.h"

namespace unbraid::cli {

ExitCode ExitCodeOf(const absl::Status& status) {
  const std::string reason = base::ReasonOf(status);
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kDone;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kAlreadyExists:
      return ExitCode::kBadInput;
    case absl::StatusCode::kResourceExhausted:
      // Too much of a song is the song's fault; everything else that is exhausted may be there
      // later.
      return reason == "FILE_TOO_LARGE" || reason == "TOO_LONG" ? ExitCode::kBadInput
                                                                : ExitCode::kUnavailable;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kUnavailable;
    case absl::StatusCode::kCancelled:
      return ExitCode::kCancelled;
    case absl::StatusCode::kAborted:
      return reason == "SEPARATION_CANCELLED" ? ExitCode::kCancelled : ExitCode::kFailed;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace unbraid::cli
