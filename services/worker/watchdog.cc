#include "services/worker/watchdog.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace unbraid::worker {

Watchdog::Watchdog(absl::Duration deadline, std::function<void()> expired)
    : deadline_(deadline), expired_(std::move(expired)), thread_([this] { Watch(); }) {}

Watchdog::~Watchdog() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

absl::Status Watchdog::Check() const {
  absl::MutexLock lock(&mutex_);
  if (!Overdue()) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("the model has been running for more than ", absl::FormatDuration(deadline_)));
}

void Watchdog::Begin() {
  absl::MutexLock lock(&mutex_);
  due_ = absl::Now() + deadline_;
  changed_.SignalAll();
}

void Watchdog::End() {
  absl::MutexLock lock(&mutex_);
  due_ = absl::InfiniteFuture();
}

bool Watchdog::Overdue() const { return absl::Now() >= due_; }

void Watchdog::Watch() {
  {
    absl::MutexLock lock(&mutex_);
    while (!stopping_ && !Overdue()) changed_.WaitWithDeadline(&mutex_, due_);
    if (stopping_) return;
  }
  expired_();
}

}  // namespace unbraid::worker
