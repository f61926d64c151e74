#include "services/splitter/chunk_cutter.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/common/audio/interleave.h"
#include "services/common/audio/passes.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::splitter {
namespace {

absl::StatusOr<audio::Passes> PassesOf(const Job& job) {
  UNBRAID_ASSIGN_OR_RETURN(
      const audio::ChunkGeometry geometry,
      audio::ChunkGeometry::Create(job.open.window_frames(), job.open.overlap_frames()));
  const v1::Separation& separation = job.open.separation();
  return audio::Passes(
      geometry,
      audio::PassSilences(separation.shifts(), separation.shift_seed(), job.open.model_rate_hz()),
      job.prepared.model_frames);
}

// The interleaved window that begins at frame `start` of the track; zero outside the track.
absl::StatusOr<std::vector<float>> ReadWindow(const Job& job, const std::string& spool_path,
                                              int64_t start) {
  const int64_t channels = job.open.track().channels();
  const int64_t frame_bytes = channels * static_cast<int64_t>(sizeof(float));
  const int64_t first = std::max<int64_t>(start, 0);
  const int64_t end = std::min(start + job.open.window_frames(), job.prepared.model_frames);
  std::vector<float> window(static_cast<size_t>(job.open.window_frames() * channels), 0.0F);
  if (end <= first) return window;  // all of it lies in the silence before the track
  UNBRAID_ASSIGN_OR_RETURN(const store::File spool,
                           store::File::Open(spool_path, store::File::Mode::kRead));
  UNBRAID_ASSIGN_OR_RETURN(
      const int64_t got,
      spool.ReadAt(first * frame_bytes,
                   reinterpret_cast<char*>(window.data() + (first - start) * channels),
                   (end - first) * frame_bytes));
  if (got != (end - first) * frame_bytes) {
    return absl::DataLossError(absl::StrCat(spool_path, " is shorter than the track"));
  }
  return window;
}

std::string Timestamp(int64_t frames, int rate_hz) {
  const int64_t ms = frames * 1000 / rate_hz;
  return absl::StrFormat("%d:%02d.%03d", ms / 60'000, ms / 1000 % 60, ms % 1000);
}

}  // namespace

absl::StatusOr<int64_t> ChunkCount(const Job& job) {
  UNBRAID_ASSIGN_OR_RETURN(const audio::Passes passes, PassesOf(job));
  return passes.ChunkCount();
}

absl::StatusOr<int64_t> ReadyChunks(const Job& job, int64_t frames) {
  UNBRAID_ASSIGN_OR_RETURN(const audio::Passes passes, PassesOf(job));
  return passes.ReadyChunks(frames);
}

absl::StatusOr<internal::v1::ChunkTask> CutChunk(const Job& job, const std::string& spool_path,
                                                 int64_t chunk, int32_t try_number,
                                                 const std::string& assembler) {
  UNBRAID_ASSIGN_OR_RETURN(const audio::Passes passes, PassesOf(job));
  const int64_t window_frames = passes.geometry().window();
  const audio::ChunkSpan span = passes.Span(chunk);
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<float> window,
                           ReadWindow(job, spool_path, span.window_start));
  internal::v1::ChunkTask task;
  task.set_separation_id(job.id.value());
  task.set_attempt(job.attempt);
  task.set_chunk_index(chunk);
  task.set_try_(try_number);
  task.set_assembler(assembler);
  task.set_model(job.model());
  task.set_model_sha256(job.open.model_sha256());
  *task.mutable_stem_indexes() = job.open.computed_stems();
  task.set_channels(job.open.track().channels());
  task.set_window_frames(window_frames);
  task.set_keep_offset(span.lead);
  task.set_keep_frames(span.useful);
  task.set_mean(job.prepared.mean);
  task.set_scale(job.prepared.scale);
  task.set_track_offset(std::clamp<int64_t>(-span.window_start, 0, window_frames));
  task.set_samples(audio::PlanarBytes(window.data(), window_frames, task.channels()));
  task.set_samples_crc32c(base::Crc32c(task.samples()));
  task.set_owner(job.owner);
  return task;
}

std::string ChunkMessageId(const internal::v1::ChunkTask& task) {
  return absl::StrCat(task.separation_id(), ".", task.attempt(), ".", task.chunk_index(), ".",
                      task.try_());
}

absl::StatusOr<std::string> ChunkSpanText(const Job& job, int64_t chunk) {
  UNBRAID_ASSIGN_OR_RETURN(const audio::Passes passes, PassesOf(job));
  if (chunk < 0 || chunk >= passes.ChunkCount()) return absl::OutOfRangeError("no such chunk");
  const audio::TrackSpan span = passes.InTrack(chunk);
  const int rate = job.open.model_rate_hz();
  return absl::StrCat("from ", Timestamp(span.first, rate), " to ", Timestamp(span.end, rate));
}

}  // namespace unbraid::splitter
