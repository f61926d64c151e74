#include "services/worker/chunk_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace unbraid::worker {

void ChunkQueue::Push(Arrival arrival) {
  absl::MutexLock lock(&mutex_);
  const auto stale = [&arrival](const Arrival& other) {
    return other.model == arrival.model &&
           other.delivery.tag.generation < arrival.delivery.tag.generation;
  };
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), stale), waiting_.end());
  waiting_.push_back(std::move(arrival));
}

std::optional<Arrival> ChunkQueue::Pop() {
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || !waiting_.empty();
  };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&ready));
  if (closed_) return std::nullopt;
  std::optional<Arrival> next(std::move(waiting_.front()));
  waiting_.pop_front();
  return next;
}

void ChunkQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

std::vector<Arrival> ChunkQueue::TakeAll() {
  absl::MutexLock lock(&mutex_);
  std::vector<Arrival> all(std::make_move_iterator(waiting_.begin()),
                           std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  return all;
}

}  // namespace unbraid::worker
