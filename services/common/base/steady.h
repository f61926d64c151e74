#ifndef UNBRAID_SERVICES_COMMON_BASE_STEADY_H_
#define UNBRAID_SERVICES_COMMON_BASE_STEADY_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace unbraid::base {

// Time by a clock that nobody sets, and that stands still while the machine sleeps: for deadlines
// and pauses. Only differences mean anything.
absl::Time SteadyNow();

// Waits until `ready` () -> bool, or so long; whether it is ready. Whoever makes it so notifies
// `changed`. Abseil's own waits follow the wall clock: one during which that is set back lasts so
// much longer.
template <typename Ready>
bool SteadyWait(std::condition_variable* changed, std::unique_lock<std::mutex>* lock,
                absl::Duration timeout, Ready ready) {
  constexpr absl::Duration kForEver = absl::Hours(24 * 365);  // more may not fit into a moment
  if (timeout < kForEver)
    return changed->wait_for(*lock, absl::ToChronoNanoseconds(timeout), ready);
  changed->wait(*lock, ready);
  return true;
}

// Tells threads that they are to end, and lets them pause until then. Thread-safe.
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
