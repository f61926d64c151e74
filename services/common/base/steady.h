#ifndef UNBRAID_SERVICES_COMMON_BASE_STEADY_H_
#define UNBRAID_SERVICES_COMMON_BASE_STEADY_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace unbraid::base {

// Time by a clock that nobody sets, and that stands still while the machine sleeps: for deadlines
// and pauses. Only differences mean anything.
absl::Time SteadyNow();

// What stands for ever in waits by that clock: the standard library cannot add more to a moment.
inline constexpr absl::Duration kLongestPause = absl::Hours(24 * 365);

// Tells threads that they are to end, and lets them pause until then. By the same clock: Abseil's
// own waits follow the wall clock, and one during which that is set back lasts so much longer.
// Thread-safe.
class StopSignal {
 public:
  // For good. Ends every pause.
  void Stop();
  bool stopped() const;

  // Waits so long, or until Stop(); whether that came.
  bool Pause(absl::Duration duration) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool stopped_ = false;
};

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_STEADY_H_
