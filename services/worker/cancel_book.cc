#include "services/worker/cancel_book.h"

#include <algorithm>

namespace unbraid::worker {

CancelBook::CancelBook(size_t capacity) : capacity_(std::max<size_t>(capacity, 1)) {}

void CancelBook::Add(base::SeparationId separation, int32_t attempt) {
  absl::MutexLock lock(&mutex_);
  const auto known = entries_.find(separation);
  if (known != entries_.end()) {
    // Notices can overtake each other; an old one takes nothing back.
    known->second.attempt = std::max(known->second.attempt, attempt);
    newest_first_.splice(newest_first_.begin(), newest_first_, known->second.position);
    return;
  }
  if (entries_.size() >= capacity_) {
    entries_.erase(newest_first_.back());
    newest_first_.pop_back();
  }
  newest_first_.push_front(separation);
  entries_[separation] = {attempt, newest_first_.begin()};
}

bool CancelBook::HasEnded(base::SeparationId separation, int32_t attempt) const {
  absl::MutexLock lock(&mutex_);
  const auto known = entries_.find(separation);
  return known != entries_.end() && attempt <= known->second.attempt;
}

size_t CancelBook::size() const {
  absl::MutexLock lock(&mutex_);
  return entries_.size();
}

}  // namespace unbraid::worker
