#ifndef UNBRAID_SERVICES_WORKER_WATCHDOG_H_
#define UNBRAID_SERVICES_WORKER_WATCHDOG_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace unbraid::worker {

// Ends a process whose model hangs: nothing can stop a thread inside a model, but the broker gives
// the chunk of a dead worker to another one. Thread-safe.
class Watchdog {
 public:
  // `expired` is called once, on the watchdog's thread, when something has run for `deadline`. It
  // is meant to end the process.
  Watchdog(absl::Duration deadline, std::function<void()> expired);
  // Stops watching.
  ~Watchdog();

  // Watches from its making to its end. One at a time.
  class Guard {
   public:
    explicit Guard(Watchdog* watchdog) : watchdog_(watchdog) { watchdog_->Begin(); }
    ~Guard() { watchdog_->End(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Watchdog* const watchdog_;
  };

  // DEADLINE_EXCEEDED while something runs for longer than the deadline.
  absl::Status Check() const;

 private:
  void Begin();
  void End();
  void Watch();
  bool Overdue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const absl::Duration deadline_;
  const std::function<void()> expired_;

  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  absl::Time due_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // after what it uses
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_WATCHDOG_H_
