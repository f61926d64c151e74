#include "services/splitter/spools.h"

#include "absl/strings/match.h"
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
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> names, store::ListFolder(folder_));
  int64_t bytes = 0;
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, ".part")) continue;
    bytes += store::FileSize(absl::StrCat(folder_, "/", name)).value_or(0);  // it may be complete
  }
  return bytes;
}

absl::Status Spools::RemoveAllBut(const std::set<base::SeparationId>& ids) const {
  std::set<std::string> keep;
  for (const base::SeparationId id : ids) keep.insert({PathOf(id), OwnSongPath(id)});
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> names, store::ListFolder(folder_));
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(folder_, "/", name);
    if (keep.count(path) == 0) UNBRAID_RETURN_IF_ERROR(store::RemoveAll(path));
  }
  return absl::OkStatus();
}

}  // namespace unbraid::splitter
