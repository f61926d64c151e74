#include <atomic>

#include "absl/strings/str_cat.h"
#include "services/assembler/engine.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "services/common/telemetry/log.h"

// The song itself, which a residual is made of. Files appear and get their names on the engine's
// thread, so none can appear in a folder that is just being removed.

namespace unbraid::assembler {
namespace {

bool IsThere(const Job& job, const ChunkFiles& files) {
  const absl::StatusOr<int64_t> size = store::FileSize(files.SongPath());
  return size.ok() && *size == job.song_bytes();
}

}  // namespace

absl::StatusOr<Engine::Active*> Engine::FindRunning(base::SeparationId id, int attempt) {
  Active* active = FindActive(id, attempt);
  if (active != nullptr) return active;
  UNBRAID_RETURN_IF_ERROR(FindAny(id).status());
  return StaleAttempt();
}

absl::StatusOr<std::unique_ptr<SongIntake>> Engine::BeginSong(base::SeparationId id, int attempt) {
  static std::atomic<int64_t> streams{0};
  UNBRAID_ASSIGN_OR_RETURN(Active * active, FindRunning(id, attempt));
  const Job& job = active->job;
  if (!job.separation.residual())
    return InvalidSong("The separation has no residual, so it needs no song.");
  if (IsThere(job, active->files)) return nullptr;
  UNBRAID_RETURN_IF_ERROR(active->files.MakeIncomingFolder());
  return SongIntake::Create({active->files.IncomingPath(++streams), job.song_bytes(),
                             job.song_bytes() / job.open.track().frames(), active->cancelled});
}

absl::Status Engine::TakeSong(base::SeparationId id, int attempt, const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(Active * active, FindRunning(id, attempt));
  UNBRAID_RETURN_IF_ERROR(store::RenameDurably(path, active->files.SongPath()));
  telemetry::Debug("song stored",
                   {{"separation", id.ToString()}, {"bytes", active->job.song_bytes()}});
  return absl::OkStatus();
}

absl::Status Engine::CheckSong(const Job& job, const ChunkFiles& files) {
  if (!job.separation.residual() || IsThere(job, files)) return absl::OkStatus();
  return base::Error(absl::StatusCode::kFailedPrecondition, "SONG_MISSING",
                     "The separation is to have a residual, and the song for it has not come yet.");
}

}  // namespace unbraid::assembler
