#include "services/common/base/steady.h"

#include <chrono>

namespace unbraid::base {
absl::Time SteadyNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

void StopSignal::Stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool StopSignal::stopped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stopped_;
}

bool StopSignal::Pause(absl::Duration duration) const {
  std::unique_lock<std::mutex> lock(mutex_);
  return SteadyWait(&changed_, &lock, duration, [this] { return stopped_; });
}

}  // namespace unbraid::base
