#include <algorithm>

#include "absl/time/clock.h"
#include "services/assembler/engine.h"
#include "services/common/base/status.h"
#include "services/common/telemetry/log.h"

// What becomes of separations after their end.

namespace unbraid::assembler {
namespace {

// What has expired goes at the latest so much later, or an eighth of its life.
constexpr absl::Duration kBetweenSweeps = absl::Minutes(1);
constexpr int kSweepsPerLife = 8;
// Separations that are removed before others get their turn on the thread.
constexpr int kExpireAtOnce = 4;
// A use is not written down so soon after another, or within a hundredth of a life: a client that
// downloads in small pieces must not keep the disk busy.
constexpr absl::Duration kBetweenUses = absl::Hours(1);
constexpr int kUsesPerLife = 100;

}  // namespace

absl::Status Engine::Remove(const Job& job) {
  const base::SeparationId id = job.id;
  const SeparationStore::Tombstone tombstone{job.attempt(), job.open.creation()};
  absl::Status deleted = store_->Delete(id, tombstone);
  if (base::ReasonOf(deleted) == "DISK_FULL") {
    // Its files go anyway, and make room for the record.
    UNBRAID_RETURN_IF_ERROR(RemoveSeparationFiles(options_.data_folder, id));
    deleted = store_->Delete(id, tombstone);
  }
  UNBRAID_RETURN_IF_ERROR(deleted);
  options_.hub->Close(id);
  return RemoveSeparationFiles(options_.data_folder, id);
}

void Engine::Use(const Job& job) {
  if (!job.ended()) return;
  const absl::Time now = options_.clock();
  if (now - job.used < std::min(kBetweenUses, options_.retention / kUsesPerLife)) return;
  const absl::Status saved = store_->SetUsed(job.id, now);
  if (!saved.ok()) {
    telemetry::Warning("a use could not be noted",
                       {{"separation", job.id.ToString()}, {"error", saved}});
  }
}

void Engine::RemoveExpired(absl::Time now, absl::Time of_day) {
  if (options_.retention == absl::InfiniteDuration() || now < sweep_again_) return;
  sweep_again_ = now + std::min(kBetweenSweeps, options_.retention / kSweepsPerLife);
  const auto expired = store_->Expired(of_day - options_.retention, kExpireAtOnce);
  absl::Status status = expired.status();
  if (expired.ok()) {
    for (base::SeparationId id : *expired) status.Update(Expire(id));
    // The rest at the next tick.
    if (status.ok() && expired->size() == kExpireAtOnce) sweep_again_ = now;
  }
  if (!status.ok()) telemetry::Warning("what has expired stays", {{"error", status}});
}

absl::Status Engine::Expire(base::SeparationId id) {
  UNBRAID_ASSIGN_OR_RETURN(const Job job, store_->Load(id));
  UNBRAID_RETURN_IF_ERROR(Remove(job));
  metrics_.expired.Increment();
  telemetry::Info("separation expired", {{"separation", id.ToString()}});
  return absl::OkStatus();
}

}  // namespace unbraid::assembler
