// Which new separations Jobs takes, and which tracks it lets go.
#include <algorithm>

#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/jobs.h"

namespace unbraid::splitter {
namespace {

// What has expired goes at the latest so much later, or an eighth of its life.
constexpr absl::Duration kBetweenSweeps = absl::Minutes(1);
constexpr int kSweepsPerLife = 8;
// Tracks that are looked at in one turn.
constexpr int kExpireAtOnce = 32;

}  // namespace

absl::Status Jobs::SaveNew(const Job& job) {
  return parts_.room->Admit(SpoolBytes(job.open), "this separation",
                            [&] { return parts_.jobs->Save(job); });
}

// A separation that has succeeded needs no room, and is given as ever.
absl::StatusOr<v1::Separation> Jobs::FindFinished(const std::string& owner,
                                                  const v1::Separation& wanted,
                                                  const absl::Status& refused) {
  UNBRAID_ASSIGN_OR_RETURN(const Job job, Make(owner, wanted));
  const absl::StatusOr<v1::Separation> known =
      parts_.assembler->Get(owner, base::SeparationName(job.id));
  const bool finished = known.ok() && known->state() == v1::Separation::STATE_SUCCEEDED;
  return finished ? known : refused;
}

void Jobs::ExpireTracks() {
  const absl::Duration retention = parts_.tracks->retention();
  if (retention == absl::InfiniteDuration()) return;
  {
    absl::MutexLock lock(&mutex_);
    if (base::SteadyNow() < expire_again_at_) return;
    expire_again_at_ = base::SteadyNow() + std::min(kBetweenSweeps, retention / kSweepsPerLife);
  }
  const auto expired = parts_.tracks->Expired(kExpireAtOnce);
  absl::Status status = expired.status();
  if (expired.ok()) {
    for (const base::TrackId id : *expired) status.Update(Expire(id));
    if (status.ok() && expired->size() == kExpireAtOnce) {
      absl::MutexLock lock(&mutex_);
      expire_again_at_ = absl::InfinitePast();  // there may be more
    }
  }
  if (!status.ok()) telemetry::Warning("what has expired stays", {{"error", status}});
}

absl::Status Jobs::Expire(base::TrackId id) {
  absl::MutexLock lock(&record_mutex_);
  UNBRAID_ASSIGN_OR_RETURN(const bool used, parts_.jobs->UsesTrack(base::TrackName(id)));
  // A separation that runs is a use, up to its end.
  if (used) return parts_.tracks->Use(id);
  UNBRAID_ASSIGN_OR_RETURN(const bool deleted, parts_.tracks->DeleteExpired(id));
  if (deleted) telemetry::Info("track expired", {{"track", id.ToString()}});
  return absl::OkStatus();
}

}  // namespace unbraid::splitter
