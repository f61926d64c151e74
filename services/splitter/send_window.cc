#include "services/splitter/send_window.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::splitter {
namespace {

constexpr int64_t kSmallestWindow = 8;
constexpr int64_t kChunksPerConsumer = 4;

std::string ChunksKey(const base::PackageId& package) {
  return absl::StrCat("chunks ", package.name, " ", package.sha256);
}
std::string ResultsKey(const std::string& assembler) { return absl::StrCat("results ", assembler); }

}  // namespace

int64_t WindowFor(int64_t consumers) {
  return std::max(kSmallestWindow, kChunksPerConsumer * consumers);
}

SendWindow::SendWindow(QueueDepths* depths, absl::Duration max_age,
                       std::function<absl::Time()> clock)
    : depths_(depths), max_age_(max_age), clock_(std::move(clock)) {}

absl::StatusOr<bool> SendWindow::MaySend(const base::PackageId& package,
                                         const std::string& assembler) {
  UNBRAID_ASSIGN_OR_RETURN(const QueueCounts results, Results(assembler));
  if (results.ready > kMaxWaitingResults) return false;
  UNBRAID_ASSIGN_OR_RETURN(const QueueCounts chunks, Chunks(package));
  absl::MutexLock lock(&mutex_);
  return chunks.ready + views_[ChunksKey(package)].added() < WindowFor(chunks.consumers);
}

void SendWindow::Sent(const base::PackageId& package) {
  absl::MutexLock lock(&mutex_);
  View& view = views_[ChunksKey(package)];
  ++view.unconfirmed;
  ++view.sent;
}

void SendWindow::Decided(const base::PackageId& package) {
  absl::MutexLock lock(&mutex_);
  --views_[ChunksKey(package)].unconfirmed;
}

absl::StatusOr<QueueCounts> SendWindow::Chunks(const base::PackageId& package) {
  return Refreshed(ChunksKey(package), [&] { return depths_->Chunks(package); });
}

absl::StatusOr<QueueCounts> SendWindow::Results(const std::string& assembler) {
  return Refreshed(ResultsKey(assembler), [&] { return depths_->Results(assembler); });
}

absl::StatusOr<QueueCounts> SendWindow::Refreshed(const std::string& queue, const Look& look) {
  int64_t number = 0;
  int64_t sent_before = 0;
  {
    absl::MutexLock lock(&mutex_);
    View& view = views_[queue];
    if (clock_() - view.at < max_age_) return view.counts;
    number = ++view.looks;
    sent_before = view.sent - view.unconfirmed;
  }
  // The lock is not held while the broker is asked; what is sent meanwhile counts as added.
  UNBRAID_ASSIGN_OR_RETURN(const QueueCounts counts, look());
  absl::MutexLock lock(&mutex_);
  View& view = views_[queue];
  if (number < view.present_look) return view.counts;  // somebody else has looked later
  view.at = clock_();
  view.counts = counts;
  view.sent_before = sent_before;
  view.present_look = number;
  return counts;
}

}  // namespace unbraid::splitter
