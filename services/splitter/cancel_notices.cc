#include "services/splitter/cancel_notices.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace unbraid::splitter {
namespace {

constexpr size_t kMaxNotices = 1000;
// A look at a queue may be older than the last chunk that was sent to it, but not by that much.
constexpr absl::Duration kLookAge = absl::Seconds(1);
constexpr absl::Duration kFirstPause = absl::Seconds(1);
constexpr absl::Duration kLongestPause = absl::Seconds(30);

}  // namespace

void CancelNotices::Add(base::SeparationId id, int32_t attempt, const std::string& model,
                        absl::Time now) {
  const bool sends = BrokerIsThere();
  const Notice notice{id, attempt, model, now, sends ? now + kFirstPause : now, kFirstPause};
  if (sends) Send(notice);
  if (model.empty()) return;  // nobody knows any more which queue to look at
  absl::MutexLock lock(&mutex_);
  if (notices_.size() >= kMaxNotices) notices_.pop_front();
  notices_.push_back(notice);
}

std::set<std::string> CancelNotices::models() const {
  absl::MutexLock lock(&mutex_);
  std::set<std::string> models;
  for (const Notice& notice : notices_) models.insert(notice.model);
  return models;
}

void CancelNotices::Tick(const std::string& model, const absl::StatusOr<QueueCounts>& chunks,
                         absl::Time now) {
  if (!chunks.ok() || !BrokerIsThere()) return;
  std::vector<Notice> due;
  {
    absl::MutexLock lock(&mutex_);
    const bool more_workers =
        chunks->consumers > std::exchange(consumers_[model], chunks->consumers);
    const auto done = [&](const Notice& notice) {
      return notice.model == model && chunks->ready == 0 && notice.added + kLookAge <= now;
    };
    notices_.erase(std::remove_if(notices_.begin(), notices_.end(), done), notices_.end());
    for (Notice& notice : notices_) {
      if (notice.model != model || (notice.due > now && !more_workers)) continue;
      notice.due = now + notice.pause;
      notice.pause = std::min(notice.pause * 2, kLongestPause);
      due.push_back(notice);
    }
  }
  for (const Notice& notice : due) Send(notice);
}

bool CancelNotices::BrokerIsThere() const {
  const BrokerState broker = sink_->state();
  return broker.connected && !broker.blocked;
}

void CancelNotices::Send(const Notice& notice) const {
  internal::v1::CancelNotice message;
  message.set_separation_id(notice.id.value());
  message.set_attempt(notice.attempt);
  sink_->PublishCancel(message);
}

}  // namespace unbraid::splitter
