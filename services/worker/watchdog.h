#ifndef UNBRAID_SERVICES_WORKER_WATCHDOG_H_
#define UNBRAID_SERVICES_WORKER_WATCHDOG_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace unbraid::worker {

// Ends a process whose model hangs: nothing can stop a thread inside a model, but the broker gives
// the chunk of a dead worker to another one. Thread-safe.
//
// Time is what the machine was awake for: neither a clock that is set nor a night of a closed lid
// makes a model hang. Abseil's waits follow the clock, so this one is the standard library's.
class Watchdog {
 public:
  // `expired` is called once, on the watchdog's thread, when something has run for `deadline`. It
  // is meant to end the process.
  Watchdog(absl::Duration deadline, std::function<void()> expired);
  // Stops watching.
  ~Watchdog();

  // Watches from its making to its end, for which it gives `deadlines` times the deadline. One at a
  // time.
  class Guard {
   public:
    explicit Guard(Watchdog* watchdog, int deadlines = 1) : watchdog_(watchdog) {
      watchdog_->Begin(deadlines);
    }
    ~Guard() { watchdog_->End(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Watchdog* const watchdog_;
  };

  absl::Duration deadline() const { return deadline_; }

  // DEADLINE_EXCEEDED while something runs for longer than the deadline.
  absl::Status Check() const;

 private:
  using Clock = std::chrono::steady_clock;

  void Begin(int deadlines);
  void End();
  void Watch();
  bool Overdue() const;  // under the mutex

  const absl::Duration deadline_;
  const std::function<void()> expired_;

  mutable std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  absl::Duration allowed_;
  std::optional<Clock::time_point> due_;  // none: nothing runs
  bool stopping_ = false;
  std::thread thread_;  // after what it uses
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_WATCHDOG_H_
