#include "services/worker/watchdog.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace unbraid::worker {

Watchdog::Watchdog(absl::Duration deadline, std::function<void()> expired)
    : deadline_(deadline), expired_(std::move(expired)), thread_([this] { Watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

absl::Status Watchdog::Check() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!Overdue()) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("the model has been running for more than ", absl::FormatDuration(allowed_)));
}

void Watchdog::Begin(int deadlines) {
  const std::lock_guard<std::mutex> lock(mutex_);
  allowed_ = deadline_ * deadlines;
  due_ = Clock::now() + absl::ToChronoNanoseconds(allowed_);
  changed_.notify_all();
}

void Watchdog::End() {
  const std::lock_guard<std::mutex> lock(mutex_);
  due_.reset();
}

bool Watchdog::Overdue() const { return due_ && Clock::now() >= *due_; }

void Watchdog::Watch() {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_ && !Overdue()) {
      if (due_) {
        changed_.wait_until(lock, *due_);
      } else {
        changed_.wait(lock);
      }
    }
    if (stopping_) return;
  }
  expired_();
}

}  // namespace unbraid::worker
