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

void CancelNotices::Add(base::SeparationId id, int32_t attempt,
                        const std::optional<base::PackageId>& package, absl::Time now) {
  const bool sends = BrokerIsThere();
  Notice notice;
  notice.id = id;
  notice.attempt = attempt;
  notice.added = now;
  notice.due = sends ? now + kFirstPause : now;
  notice.pause = kFirstPause;
  if (sends) Send(notice);
  if (!package) return;  // no queue to look at
  notice.package = *package;
  absl::MutexLock lock(&mutex_);
  if (notices_.size() >= kMaxNotices) notices_.pop_front();
  notices_.push_back(notice);
}

std::set<base::PackageId> CancelNotices::packages() const {
  absl::MutexLock lock(&mutex_);
  std::set<base::PackageId> packages;
  for (const Notice& notice : notices_) packages.insert(notice.package);
  return packages;
}

void CancelNotices::Tick(const base::PackageId& package, const absl::StatusOr<QueueCounts>& chunks,
                         absl::Time now) {
  if (!chunks.ok() || !BrokerIsThere()) return;
  std::vector<Notice> due;
  {
    absl::MutexLock lock(&mutex_);
    const bool more_workers =
        chunks->consumers > std::exchange(consumers_[package], chunks->consumers);
    const auto done = [&](const Notice& notice) {
      return notice.package == package && chunks->ready == 0 && notice.added + kLookAge <= now;
    };
    notices_.erase(std::remove_if(notices_.begin(), notices_.end(), done), notices_.end());
    for (Notice& notice : notices_) {
      if (notice.package != package || (notice.due > now && !more_workers)) continue;
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
