#include "services/worker/chunk_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/time.h"

namespace unbraid::worker {
namespace {

// A chunk waits no longer than that for those that came later.
constexpr int kMaxPassedOver = 4;
// How long one that may end the process waits for company that the broker is about to send.
constexpr absl::Duration kCompanyPatience = absl::Milliseconds(300);

bool GoesBefore(const Arrival& later, const Arrival& earlier) {
  const int64_t failures = earlier.delivery.delivery_count;
  if (earlier.passed_over >= kMaxPassedOver) return false;
  if (later.delivery.delivery_count != failures) return later.delivery.delivery_count < failures;
  return failures % 2 == 1;
}

}  // namespace

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
  if (!closed_ && waiting_.size() == 1 && waiting_.front().delivery.delivery_count > 0) {
    const auto company = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return closed_ || waiting_.size() > 1;
    };
    mutex_.AwaitWithTimeout(absl::Condition(&company), kCompanyPatience);
  }
  if (closed_) return std::nullopt;
  const auto chosen = Next();
  for (auto earlier = waiting_.begin(); earlier != chosen; ++earlier) ++earlier->passed_over;
  std::optional<Arrival> next(std::move(*chosen));
  waiting_.erase(chosen);
  return next;
}

std::deque<Arrival>::iterator ChunkQueue::Next() {
  auto chosen = waiting_.begin();
  for (auto other = std::next(chosen); other != waiting_.end(); ++other) {
    if (GoesBefore(*other, *chosen)) chosen = other;
  }
  return chosen;
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
