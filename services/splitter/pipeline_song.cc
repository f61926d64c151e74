// How Pipeline brings the song itself to the assembler, for separations that have a residual.
#include <utility>

#include "services/splitter/pipeline.h"

namespace unbraid::splitter {

void Pipeline::SendSong(base::SeparationId id, int32_t attempt) {
  std::shared_ptr<grpc_util::Cancellation> cancellation;
  Job job;
  {
    absl::MutexLock lock(&mutex_);
    const Active* active = Find(id, attempt);
    if (active == nullptr) return;
    job = active->job;
    cancellation = active->cancellation;
  }
  const SongFile song = {id, attempt, parts_.spools->SongPathOf(job), job.open.track().channels()};
  const absl::Status status = parts_.assembler->PutSong(job.owner, song, cancellation.get());
  if (!status.ok()) return OnRefused(job, status);
  absl::MutexLock lock(&mutex_);
  Active* active = Find(id, attempt);
  if (active == nullptr) return;
  active->obstacle.clear();
  active->stage = Stage::kPlanning;
  Continue(active);
}

// The assembler has lost the song: not with its records, so it is sent again.
void Pipeline::OnSongMissing(const Job& job, const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (Active* active = Find(job.id, job.attempt)) active->stage = Stage::kSendingSong;
  }
  OnObstacle(job, status);
}

}  // namespace unbraid::splitter
