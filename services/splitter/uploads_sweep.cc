// How Uploads gets rid of what nobody goes on with.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/store/files.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/uploads.h"

namespace unbraid::splitter {
namespace {

// What is abandoned goes at the latest so much later, or an eighth of its life.
constexpr absl::Duration kBetweenSweeps = absl::Minutes(10);
constexpr int kSweepsPerLife = 8;

}  // namespace

void Uploads::Sweep() {
  const absl::Time now = limits_.clock();
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration age = now - swept_at_;
    // Below 0: the clock was set back.
    if (age >= absl::ZeroDuration() &&
        age < std::min(kBetweenSweeps, limits_.retention / kSweepsPerLife))
      return;
    swept_at_ = now;
  }
  const absl::StatusOr<std::vector<std::string>> keys = store::ListFolder(folder_);
  if (!keys.ok()) return telemetry::Warning("cannot list uploads", {{"error", keys.status()}});
  for (const std::string& key : *keys) {
    // Another stream may have finished it meanwhile.
    const absl::StatusOr<absl::Time> touched = store::ModifiedAt(PathOf(key));
    if (touched.ok() && now - *touched >= limits_.retention) Abandon(key, now);
  }
}

void Uploads::EndSilent() {
  std::vector<OnEvicted> silent;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time before = base::SteadyNow() - limits_.max_silence;
    for (auto& [key, session] : sessions_) {
      if (session.busy || session.heard > before || session.on_evicted == nullptr) continue;
      silent.push_back(std::exchange(session.on_evicted, nullptr));
    }
  }
  for (const OnEvicted& evict : silent) {
    evict(base::Error(absl::StatusCode::kUnavailable, "UPLOAD_SILENT",
                      absl::StrCat("Nothing came for ", absl::FormatDuration(limits_.max_silence),
                                   "; what was brought stays, resume the upload.")));
  }
}

void Uploads::Abandon(const std::string& key, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  // The lock keeps streams from beginning while the file goes. One may have come and gone.
  const absl::StatusOr<absl::Time> touched = store::ModifiedAt(PathOf(key));
  if (sessions_.count(key) > 0 || (touched.ok() && now - *touched < limits_.retention)) return;
  absl::Status removed = store::RemoveAll(PathOf(key));
  if (removed.ok()) {
    ledger_.Remove(key);
    removed = tracks_->EndUpload(key);
    abandoned_total_.Increment();
    telemetry::Info("abandoned upload removed", {});
  }
  if (!removed.ok()) telemetry::Warning("abandoned upload stays", {{"error", removed}});
}

}  // namespace unbraid::splitter
