#include "services/splitter/spools.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "services/common/audio/resampler.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::splitter {

int64_t SpoolBytes(const internal::v1::OpenSeparationRequest& open) {
  const v1::Track& track = open.track();
  if (track.sample_rate_hz() <= 0 || open.model_rate_hz() <= 0) return 0;
  int64_t frames =
      audio::ResampledFrames(track.frames(), track.sample_rate_hz(), open.model_rate_hz());
  const bool own_song =
      open.separation().residual() && track.sample_rate_hz() != open.model_rate_hz();
  if (own_song) frames += track.frames();
  return frames * track.channels() * static_cast<int64_t>(sizeof(float));
}

absl::StatusOr<Spools> Spools::Create(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/spools");
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(path));
  return Spools(path);
}

std::string Spools::PathOf(base::SeparationId id) const {
  return absl::StrCat(folder_, "/", id.ToString(), ".f32");
}

std::string Spools::OwnSongPath(base::SeparationId id) const {
  return absl::StrCat(folder_, "/", id.ToString(), ".song.f32");
}

std::string Spools::SongPathOf(const Job& job) const {
  const bool same_rate = job.open.track().sample_rate_hz() == job.open.model_rate_hz();
  return same_rate ? PathOf(job.id) : OwnSongPath(job.id);
}

bool Spools::IsComplete(const Job& job) const {
  if (job.prepared.model_frames <= 0) return false;
  const auto holds = [&job](const std::string& path, int64_t frames) {
    const absl::StatusOr<int64_t> size = store::FileSize(path);
    const int64_t frame_bytes = job.open.track().channels() * static_cast<int64_t>(sizeof(float));
    return size.ok() && *size == frames * frame_bytes;
  };
  return holds(PathOf(job.id), job.prepared.model_frames) &&
         (!job.residual() || holds(SongPathOf(job), job.open.track().frames()));
}

absl::Status Spools::Remove(base::SeparationId id) const {
  UNBRAID_RETURN_IF_ERROR(store::RemoveAll(OwnSongPath(id)));
  return store::RemoveAll(PathOf(id));
}

absl::StatusOr<int64_t> Spools::UnfinishedBytes() const {
  int64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() != ".part") continue;
    std::error_code gone;  // it may be complete by now
    const auto size = entry.file_size(gone);
    if (!gone) bytes += static_cast<int64_t>(size);
  }
  if (!error) return bytes;
  return absl::InternalError(absl::StrCat("cannot list ", folder_, ": ", error.message()));
}

absl::Status Spools::RemoveAllBut(const std::set<base::SeparationId>& ids) const {
  std::set<std::string> keep;
  for (const base::SeparationId id : ids) keep.insert({PathOf(id), OwnSongPath(id)});
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (keep.count(entry.path().string()) > 0) continue;
    UNBRAID_RETURN_IF_ERROR(store::RemoveAll(entry.path().string()));
  }
  return error ? absl::InternalError(absl::StrCat("cannot list ", folder_, ": ", error.message()))
               : absl::OkStatus();
}

}  // namespace unbraid::splitter
