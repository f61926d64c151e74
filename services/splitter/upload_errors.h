#ifndef UNBRAID_SERVICES_SPLITTER_UPLOAD_ERRORS_H_
#define UNBRAID_SERVICES_SPLITTER_UPLOAD_ERRORS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/common/base/status.h"

namespace unbraid::splitter {

// The errors of an upload that are made in more than one place.

inline absl::Status InvalidUpload(absl::string_view sentence) {
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_UPLOAD", sentence);
}

inline absl::Status FileTooLarge(int64_t limit) {
  return base::Error(absl::StatusCode::kResourceExhausted, "FILE_TOO_LARGE",
                     absl::StrCat("The file is larger than the limit of ", limit,
                                  " bytes. Compress it (FLAC keeps it exact), or cut it."),
                     {{"limit_bytes", absl::StrCat(limit)}});
}

inline absl::Status TakenOver() {
  return base::Error(absl::StatusCode::kAborted, "UPLOAD_TAKEN_OVER",
                     "Another stream writes this upload now.");
}

inline absl::Status ShuttingDown() {
  return base::Error(absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
                     "The server is shutting down; resume the upload in a moment.");
}

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_UPLOAD_ERRORS_H_
