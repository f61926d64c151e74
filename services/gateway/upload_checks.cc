#include "services/gateway/upload_checks.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::gateway {
namespace {

constexpr size_t kMaxNameBytes = 255;

absl::Status Invalid(const char* reason, const std::string& sentence) {
  return base::Error(absl::StatusCode::kInvalidArgument, reason, sentence);
}

// Where a part ends in the file; the largest number where that is beyond all numbers.
int64_t EndOf(const v1::UploadTrackRequest& part) {
  const auto size = static_cast<int64_t>(part.data().size());
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  return part.write_offset() > kMax - size ? kMax : part.write_offset() + size;
}

}  // namespace

absl::Status UploadChecks::Check(const v1::UploadTrackRequest& part) {
  const bool first = std::exchange(first_, false);
  if (first != part.has_spec()) {
    return Invalid("INVALID_UPLOAD",
                   "`spec` belongs into the first message of an upload, and into no other.");
  }
  if (static_cast<int64_t>(part.data().size()) > kMaxPartBytes) {
    return Invalid("INVALID_UPLOAD", absl::StrCat("A part has at most ", kMaxPartBytes,
                                                  " bytes; send smaller ones."));
  }
  if (part.write_offset() < 0 || part.spec().total_bytes() < 0) {
    return Invalid("INVALID_UPLOAD", "`write_offset` and `total_bytes` must not be negative.");
  }
  if (part.spec().display_name().size() > kMaxNameBytes) {
    return Invalid("INVALID_NAME", "`display_name` has at most 255 bytes; shorten it.");
  }
  return CheckSize(std::max(EndOf(part), part.spec().total_bytes()));
}

absl::Status UploadChecks::CheckEnd() const {
  if (!first_) return absl::OkStatus();
  return Invalid("INVALID_UPLOAD",
                 "The upload ended without a readable first message; send one with `spec`, whose "
                 "texts are UTF-8.");
}

absl::Status UploadChecks::CheckSize(int64_t bytes) const {
  if (bytes <= max_upload_bytes_) return absl::OkStatus();
  return base::Error(absl::StatusCode::kResourceExhausted, "FILE_TOO_LARGE",
                     absl::StrCat("The file is larger than the limit of ", max_upload_bytes_,
                                  " bytes. Compress it (FLAC), or cut it into pieces."),
                     {{"limit_bytes", absl::StrCat(max_upload_bytes_)}});
}

}  // namespace unbraid::gateway
