#ifndef UNBRAID_SERVICES_GATEWAY_UPLOAD_CHECKS_H_
#define UNBRAID_SERVICES_GATEWAY_UPLOAD_CHECKS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "unbraid/v1/track_service.pb.h"

namespace unbraid::gateway {

inline constexpr int64_t kMaxPartBytes = 1 << 20;

// Checks the parts of one upload against what the gateway can know: sizes, and that the description
// stands in the first part and nowhere else. Everything else is the splitter's to check.
class UploadChecks {
 public:
  explicit UploadChecks(int64_t max_upload_bytes) : max_upload_bytes_(max_upload_bytes) {}

  // INVALID_ARGUMENT (INVALID_UPLOAD, INVALID_NAME), RESOURCE_EXHAUSTED (FILE_TOO_LARGE).
  absl::Status Check(const v1::UploadTrackRequest& part);

  // For a stream that has ended: INVALID_UPLOAD when nothing readable came. gRPC shows a message
  // that it cannot decode (a text that is no UTF-8) as the end of the stream.
  absl::Status CheckEnd() const;

 private:
  absl::Status CheckSize(int64_t bytes) const;

  const int64_t max_upload_bytes_;
  bool first_ = true;
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_UPLOAD_CHECKS_H_
