#include "services/assembler/join_pipeline.h"

#include <utility>

#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {

absl::StatusOr<std::unique_ptr<JoinPipeline>> JoinPipeline::Create(const Job& job,
                                                                   const ChunkFiles& files) {
  UNBRAID_ASSIGN_OR_RETURN(
      const auto geometry,
      audio::ChunkGeometry::Create(job.open.window_frames(), job.open.overlap_frames()));
  const int64_t frames = audio::Joiner::FramesJoinedBefore(geometry, job.joined, job.model_frames);
  const int64_t bytes = frames * job.channels() * static_cast<int64_t>(sizeof(float));
  std::unique_ptr<JoinPipeline> pipeline(new JoinPipeline(files, job.joined));
  for (int stem = 0; stem < job.computed_stems(); ++stem) {
    UNBRAID_ASSIGN_OR_RETURN(store::File file, store::File::Open(files.JoinedPath(stem),
                                                                 store::File::Mode::kCreateOrOpen));
    UNBRAID_RETURN_IF_ERROR(file.Truncate(bytes));
    audio::Joiner joiner(geometry, job.model_frames, job.channels());
    if (job.joined > 0) {
      UNBRAID_ASSIGN_OR_RETURN(const auto previous, files.ReadChunk(job.joined - 1, stem));
      UNBRAID_RETURN_IF_ERROR(joiner.ResumeAt(job.joined, previous));
    }
    pipeline->stems_.push_back({std::move(file), std::move(joiner), bytes});
  }
  return pipeline;
}

absl::Status JoinPipeline::JoinNext() {
  std::vector<std::vector<float>> chunks;
  for (size_t stem = 0; stem < stems_.size(); ++stem) {
    UNBRAID_ASSIGN_OR_RETURN(chunks.emplace_back(),
                             files_.ReadChunk(next_, static_cast<int>(stem)));
  }
  for (size_t i = 0; i < stems_.size(); ++i) {
    Stem& stem = stems_[i];
    // After a full disk the same chunk comes again: a stem that has taken it already is not given
    // it twice.
    if (stem.joiner.next_index() > next_) continue;
    std::vector<float> joined;
    audio::Joiner advanced = stem.joiner;
    UNBRAID_RETURN_IF_ERROR(advanced.Push(chunks[i], &joined));
    const absl::string_view bytes =
        audio::AsBytes(joined.data(), static_cast<int64_t>(joined.size()));
    UNBRAID_RETURN_IF_ERROR(stem.file.WriteAt(stem.written_bytes, bytes));
    UNBRAID_RETURN_IF_ERROR(stem.file.Sync());
    stem.written_bytes += static_cast<int64_t>(bytes.size());
    stem.joiner = std::move(advanced);
  }
  ++next_;
  return absl::OkStatus();
}

}  // namespace unbraid::assembler
