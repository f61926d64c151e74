#ifndef UNBRAID_SERVICES_COMMON_BASE_BOUNDED_QUEUE_H_
#define UNBRAID_SERVICES_COMMON_BASE_BOUNDED_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "services/common/base/steady.h"

namespace unbraid::base {

// A queue between threads that holds at most `capacity` items. Waits by a clock that nobody sets,
// as StopSignal does. Thread-safe.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // Waits for room. False, and the item is dropped, after Close().
  bool Push(T item) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || items_.size() < capacity_; });
    return PushNow(std::move(item));
  }

  // False, and the item is dropped, when there is no room or after Close().
  bool TryPush(T item) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return items_.size() < capacity_ && PushNow(std::move(item));
  }

  // The next item; nothing when none came within `timeout`, or once the queue is closed and empty.
  std::optional<T> Pop(absl::Duration timeout = absl::InfiniteDuration()) {
    std::unique_lock<std::mutex> lock(mutex_);
    SteadyWait(&changed_, &lock, timeout, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  // Wakes everybody; items already in the queue can still be popped.
  void Close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  bool closed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return closed_;
  }

  size_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return items_.size();
  }

 private:
  bool PushNow(T item) {
    if (closed_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  const size_t capacity_;
  mutable std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_BOUNDED_QUEUE_H_
