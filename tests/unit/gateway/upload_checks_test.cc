#include "services/gateway/upload_checks.h"

#include <catch2/catch.hpp>
#include <limits>

#include "services/common/base/status.h"

namespace unbraid::gateway {
namespace {

v1::UploadTrackRequest First(int64_t total = 0) {
  v1::UploadTrackRequest part;
  part.mutable_spec()->set_total_bytes(total);
  return part;
}

v1::UploadTrackRequest Part(int64_t offset, size_t size) {
  v1::UploadTrackRequest part;
  part.set_write_offset(offset);
  part.set_data(std::string(size, 'x'));
  return part;
}

TEST_CASE("takes a described stream up to exactly the limit") {
  UploadChecks checks(10);
  CHECK(checks.Check(First(10)).ok());
  CHECK(checks.Check(Part(0, 10)).ok());
  CHECK(checks.CheckEnd().ok());
  CHECK(base::ReasonOf(checks.Check(Part(10, 1))) == "FILE_TOO_LARGE");
}

TEST_CASE("an offset near the largest number is over the limit, not an overflow") {
  UploadChecks checks(std::numeric_limits<int64_t>::max() - 1);
  REQUIRE(checks.Check(First()).ok());
  const absl::Status status = checks.Check(Part(std::numeric_limits<int64_t>::max(), 1 << 20));
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(base::ReasonOf(status) == "FILE_TOO_LARGE");
}

TEST_CASE("a stream must begin with its description") {
  UploadChecks checks(10);
  CHECK(base::ReasonOf(checks.CheckEnd()) == "INVALID_UPLOAD");
  CHECK(base::ReasonOf(checks.Check(Part(0, 1))) == "INVALID_UPLOAD");
  CHECK(base::ReasonOf(checks.Check(First())) == "INVALID_UPLOAD");  // too late
}

}  // namespace
}  // namespace unbraid::gateway
