#include "clients/cli/retry.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "services/common/base/status.h"

namespace unbraid::cli {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(5);

// A gateway that ends breaks off what it has begun, and what reaches it at that moment, with a bare
// CANCELLED. What the service itself calls cancelled has a reason.
bool IsBrokenOff(const absl::Status& failure) {
  return failure.code() == absl::StatusCode::kCancelled && base::ReasonOf(failure).empty();
}

}  // namespace

bool MayTryAgain(const absl::Status& failure) {
  return absl::IsUnavailable(failure) || absl::IsDeadlineExceeded(failure) ||
         IsBrokenOff(failure) || base::ReasonOf(failure) == "OVERLOADED";
}

absl::Status RetryPolicy::Next(const absl::Status& failure) {
  if (interrupt_->requested()) return absl::CancelledError("Interrupted.");
  if (IsBrokenOff(failure)) return Next(absl::UnavailableError("the gateway broke the call off"));
  if (!MayTryAgain(failure)) return failure;
  const absl::Time now = absl::Now();
  first_failure_ = std::min(first_failure_, now);
  if (now - first_failure_ >= patience_) return failure;
  pause_ = pause_ == absl::ZeroDuration() ? kFirstPause : std::min(pause_ * 2, kLongestPause);
  return interrupt_->Sleep(pause_);
}

void RetryPolicy::Reset() {
  first_failure_ = absl::InfiniteFuture();
  pause_ = absl::ZeroDuration();
}

}  // namespace unbraid::cli
