#ifndef UNBRAID_SERVICES_COMMON_GRPC_STREAM_WRITER_H_
#define UNBRAID_SERVICES_COMMON_GRPC_STREAM_WRITER_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace unbraid::grpc_util {

// The server's side of a streaming answer: keeps one write outstanding, finishes once, and deletes
// itself when gRPC is done with it. Its functions may be called from any thread until the stream
// has finished; a subclass that hands `this` to another thread holds the stream open meanwhile
// (Hold, Release).
template <typename T>
class StreamWriter : public grpc::ServerWriteReactor<T> {
 public:
  // Queues a message behind the others.
  void Enqueue(T message) {
    absl::MutexLock lock(&mutex_);
    if (finish_.has_value()) return;
    queue_.push_back(std::move(message));
    Advance();
  }

  // Queues a message instead of all that are not on their way yet: the newest state wins.
  void Replace(T message) {
    absl::MutexLock lock(&mutex_);
    if (finish_.has_value()) return;
    queue_.clear();
    queue_.push_back(std::move(message));
    Advance();
  }

  // Ends the stream after what is queued. The first call counts.
  void FinishAfterQueue(grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    if (!finish_.has_value()) finish_ = std::move(status);
    Advance();
  }

  // Ends the stream without what is queued.
  void FinishNow(grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    queue_.clear();
    if (!finish_.has_value()) finish_ = std::move(status);
    Advance();
  }

  size_t queued() const {
    absl::MutexLock lock(&mutex_);
    return queue_.size();
  }

 protected:
  // Keeps the stream, and so this object, alive until Release.
  void Hold() {
    absl::MutexLock lock(&mutex_);
    ++holds_;
  }
  // The same for a stream that may be ending on another thread at this moment: false, and nothing
  // is held, once its end is decided. Otherwise it could be gone before Release.
  [[nodiscard]] bool TryHold() {
    absl::MutexLock lock(&mutex_);
    if (finish_.has_value()) return false;
    ++holds_;
    return true;
  }
  // `this` may be gone afterwards.
  void Release() {
    absl::MutexLock lock(&mutex_);
    --holds_;
    Advance();
  }

  // Everything that was queued has been written. Called with no lock held.
  virtual void OnDrained() {}

 private:
  void OnWriteDone(bool ok) final {
    bool drained = false;
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      if (!ok) {  // the client is gone
        queue_.clear();
        if (!finish_.has_value())
          finish_ = grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone");
      }
      drained = queue_.empty() && !finish_.has_value();
      if (!drained) Advance();
    }
    if (drained) OnDrained();
  }

  void OnCancel() final {
    FinishNow(grpc::Status(grpc::StatusCode::CANCELLED, "the call was cancelled"));
  }

  void OnDone() final {
    // Who has just finished the stream may still hold the lock, which must outlive that.
    { absl::MutexLock lock(&mutex_); }
    delete this;
  }

  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (!queue_.empty()) {
      current_ = std::move(queue_.front());
      queue_.pop_front();
      writing_ = true;
      this->StartWrite(&current_);
    } else if (finish_.has_value() && holds_ == 0) {
      finished_ = true;
      this->Finish(*finish_);
    }
  }

  mutable absl::Mutex mutex_;
  std::deque<T> queue_ ABSL_GUARDED_BY(mutex_);
  T current_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  int holds_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<grpc::Status> finish_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::grpc_util

#endif  // UNBRAID_SERVICES_COMMON_GRPC_STREAM_WRITER_H_
