// How Uploads gets rid of what nobody goes on with.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "services/common/base/status.h"
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
    if (now - swept_at_ < std::min(kBetweenSweeps, limits_.retention / kSweepsPerLife)) return;
    swept_at_ = now;
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    // Another stream may have finished it meanwhile.
    const absl::StatusOr<absl::Time> touched = store::ModifiedAt(entry.path().string());
    if (touched.ok() && now - *touched >= limits_.retention)
      Abandon(entry.path().filename().string(), now);
  }
  if (error) telemetry::Warning("cannot list uploads", {{"error", error.message()}});
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
