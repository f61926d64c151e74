#include "services/worker/chunk_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/time.h"
#include "services/common/base/steady.h"

namespace unbraid::worker {
namespace {

// A chunk waits no longer than that for those that came later and have failed less often.
constexpr int kMaxPassedOver = 4;
// How long one that may end the process, or whose model must be loaded, waits for company that the
// broker is about to send.
constexpr absl::Duration kCompanyPatience = absl::Milliseconds(300);

bool IsAtHand(const Arrival& arrival, const Turn& turn) {
  return arrival.model < turn.at_hand.size() && turn.at_hand[arrival.model];
}

bool GoesBefore(const Arrival& later, const Arrival& earlier, const Turn& turn) {
  const int64_t failures = earlier.delivery.delivery_count;
  if (failures == 0 && later.delivery.delivery_count == 0) {
    return IsAtHand(later, turn) && !IsAtHand(earlier, turn);
  }
  if (later.delivery.delivery_count != failures) {
    return later.delivery.delivery_count < failures && earlier.passed_over < kMaxPassedOver;
  }
  // All that a process held when it ended has failed once more: whichever of them it was, the
  // others go before it every other time.
  return failures % 2 == 1;
}

// Whether two chunks may share a batch.
bool FitsBeside(const Arrival& other, const Arrival& first) {
  return other.model == first.model && other.delivery.delivery_count == 0;
}

int MostOf(size_t model, const BatchRule& rule) {
  return model < rule.most.size() ? rule.most[model] : 1;
}

}  // namespace

void ChunkQueue::Push(Arrival arrival) {
  absl::MutexLock lock(&mutex_);
  const auto stale = [&arrival](const Arrival& other) {
    return other.model == arrival.model &&
           other.delivery.tag.generation < arrival.delivery.tag.generation;
  };
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), stale), waiting_.end());
  arrival.came = base::SteadyNow();
  waiting_.push_back(std::move(arrival));
}

std::vector<Arrival> ChunkQueue::Pop(const Turn& turn, const BatchRule& rule) {
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || !waiting_.empty();
  };
  absl::MutexLock lock(&mutex_);
  if (rule.at_once && !ready()) return {};
  mutex_.Await(absl::Condition(&ready));
  const Turn now = base::SteadyNow() < turn.until ? turn : Turn();
  const auto company = [this, &now]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || !WantsCompany(now);
  };
  if (rule.at_once && !company()) return {};
  mutex_.AwaitWithTimeout(absl::Condition(&company), kCompanyPatience);
  const auto full = [this, &now, &rule]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || IsFull(now, rule);
  };
  if (!full()) {
    const absl::Duration left = Next(now)->came + rule.wait - base::SteadyNow();
    if (rule.at_once && left > absl::ZeroDuration()) return {};
    mutex_.AwaitWithTimeout(absl::Condition(&full), left);
  }
  if (closed_) return {};
  return TakeBatch(now, rule);
}

bool ChunkQueue::IsFull(const Turn& turn, const BatchRule& rule) {
  const Arrival& first = *Next(turn);
  const auto fits = [&first](const Arrival& other) { return FitsBeside(other, first); };
  return first.delivery.delivery_count > 0 ||
         std::count_if(waiting_.begin(), waiting_.end(), fits) >= MostOf(first.model, rule);
}

std::vector<Arrival> ChunkQueue::TakeBatch(const Turn& turn, const BatchRule& rule) {
  const auto chosen = Next(turn);
  for (auto earlier = waiting_.begin(); earlier != chosen; ++earlier) ++earlier->passed_over;
  std::vector<Arrival> batch;
  batch.push_back(std::move(*chosen));
  waiting_.erase(chosen);
  const int most =
      batch.front().delivery.delivery_count > 0 ? 1 : MostOf(batch.front().model, rule);
  for (auto next = waiting_.begin();
       next != waiting_.end() && batch.size() < static_cast<size_t>(most);) {
    if (!FitsBeside(*next, batch.front())) {
      ++next;
      continue;
    }
    batch.push_back(std::move(*next));
    next = waiting_.erase(next);
  }
  return batch;
}

bool ChunkQueue::AwaitClosed(absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&closed_), timeout);
}

bool ChunkQueue::WantsCompany(const Turn& turn) const {
  if (waiting_.size() == 1 && waiting_.front().delivery.delivery_count > 0) return true;
  const bool some = std::count(turn.at_hand.begin(), turn.at_hand.end(), true) > 0;
  return some && std::none_of(waiting_.begin(), waiting_.end(),
                              [&turn](const Arrival& arrival) { return IsAtHand(arrival, turn); });
}

std::deque<Arrival>::iterator ChunkQueue::Next(const Turn& turn) {
  auto chosen = waiting_.begin();
  for (auto other = std::next(chosen); other != waiting_.end(); ++other) {
    if (GoesBefore(*other, *chosen, turn)) chosen = other;
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
