#include "clients/cli/exit_code.h"

#include <catch2/catch.hpp>

#include "services/common/base/status.h"

namespace unbraid::cli {
namespace {

int CodeOf(absl::StatusCode code, const char* reason = "") {
  return static_cast<int>(ExitCodeOf(base::Error(code, reason, "a sentence")));
}

TEST_CASE("exit status tells bad input, absence and failure apart") {
  CHECK(static_cast<int>(ExitCodeOf(absl::OkStatus())) == 0);
  CHECK(CodeOf(absl::StatusCode::kInvalidArgument, "EMPTY_FILE") == 3);
  CHECK(CodeOf(absl::StatusCode::kNotFound, "UNKNOWN_TRACK") == 3);
  CHECK(CodeOf(absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE") == 4);
  CHECK(CodeOf(absl::StatusCode::kDeadlineExceeded) == 4);
  CHECK(CodeOf(absl::StatusCode::kAborted, "CHUNK_FAILED") == 5);
  CHECK(CodeOf(absl::StatusCode::kAborted, "SEPARATION_CANCELLED") == 130);
  CHECK(CodeOf(absl::StatusCode::kInternal) == 5);
  CHECK(CodeOf(absl::StatusCode::kCancelled) == 130);
}

TEST_CASE("a song that is too much is bad input, a disk that is full is not (case 35)") {
  CHECK(CodeOf(absl::StatusCode::kResourceExhausted, "FILE_TOO_LARGE") == 3);
  CHECK(CodeOf(absl::StatusCode::kResourceExhausted, "TOO_LONG") == 3);
  CHECK(CodeOf(absl::StatusCode::kResourceExhausted, "DISK_FULL") == 4);
}

}  // namespace
}  // namespace unbraid::cli
