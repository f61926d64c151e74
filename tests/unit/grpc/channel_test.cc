#include "services/common/grpc/channel.h"

#include <catch2/catch.hpp>

#include "absl/time/clock.h"

namespace unbraid::grpc_util {
namespace {

TEST_CASE("a prepared call has a deadline, or none where none is wanted") {
  grpc::ClientContext bounded;
  PrepareCall(&bounded, absl::Seconds(5), "me");
  const absl::Duration left = absl::FromChrono(bounded.deadline()) - absl::Now();
  CHECK(left > absl::Seconds(4));
  CHECK(left <= absl::Seconds(5));
  grpc::ClientContext endless;
  PrepareCall(&endless, absl::InfiniteDuration(), "me");
  CHECK(absl::FromChrono(endless.deadline()) - absl::Now() > absl::Hours(24 * 365));
}

}  // namespace
}  // namespace unbraid::grpc_util
