#include "services/assembler/join_pipeline.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

using store::File;

// Creates the file or cuts it to `bytes`. Never makes it longer: that would be made-up silence.
absl::Status CutTo(const std::string& path, int64_t bytes) {
  UNBRAID_ASSIGN_OR_RETURN(File file, File::Open(path, File::Mode::kCreateOrOpen));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t size, file.Size());
  if (size < bytes) {
    return absl::DataLossError(
        absl::StrCat(path, " has ", size, " bytes, and its record says ", bytes));
  }
  UNBRAID_RETURN_IF_ERROR(file.Truncate(bytes));
  return file.Sync();
}

}  // namespace

absl::StatusOr<std::unique_ptr<JoinPipeline>> JoinPipeline::Create(const Job& job,
                                                                   const ChunkFiles& files) {
  UNBRAID_ASSIGN_OR_RETURN(
      const auto geometry,
      audio::ChunkGeometry::Create(job.open.window_frames(), job.open.overlap_frames()));
  const int64_t frames = audio::Joiner::FramesJoinedBefore(geometry, job.joined, job.model_frames);
  const int64_t bytes = frames * job.channels() * static_cast<int64_t>(sizeof(float));
  std::unique_ptr<JoinPipeline> pipeline(new JoinPipeline(files));
  for (int stem = 0; stem < job.computed_stems(); ++stem) {
    UNBRAID_RETURN_IF_ERROR(CutTo(files.JoinedPath(stem), bytes));
    audio::Joiner joiner(geometry, job.model_frames, job.channels());
    if (job.joined > 0) {
      UNBRAID_ASSIGN_OR_RETURN(const auto previous, files.ReadChunk(job.joined - 1, stem));
      UNBRAID_RETURN_IF_ERROR(joiner.ResumeAt(job.joined, previous));
    }
    pipeline->stems_.push_back({files.JoinedPath(stem), std::move(joiner), bytes});
  }
  UNBRAID_RETURN_IF_ERROR(files.SyncJoinedFolder());
  return pipeline;
}

absl::Status JoinPipeline::JoinUpTo(int64_t count) {
  for (int i = 0; i < static_cast<int>(stems_.size()); ++i) {
    if (stems_[static_cast<size_t>(i)].joiner.next_index() < count)
      UNBRAID_RETURN_IF_ERROR(JoinStem(i, count));
  }
  return absl::OkStatus();
}

absl::Status JoinPipeline::JoinStem(int index, int64_t count) {
  Stem& stem = stems_[static_cast<size_t>(index)];
  std::vector<float> joined;
  audio::Joiner advanced = stem.joiner;
  while (advanced.next_index() < count) {
    UNBRAID_ASSIGN_OR_RETURN(const std::vector<float> chunk,
                             files_.ReadChunk(advanced.next_index(), index));
    UNBRAID_RETURN_IF_ERROR(advanced.Push(chunk, &joined));
  }
  const absl::string_view bytes =
      audio::AsBytes(joined.data(), static_cast<int64_t>(joined.size()));
  UNBRAID_ASSIGN_OR_RETURN(File file, File::Open(stem.path, File::Mode::kCreateOrOpen));
  UNBRAID_RETURN_IF_ERROR(file.WriteAt(stem.written_bytes, bytes));
  UNBRAID_RETURN_IF_ERROR(file.Sync());
  stem.written_bytes += static_cast<int64_t>(bytes.size());
  stem.joiner = std::move(advanced);
  return absl::OkStatus();
}

}  // namespace unbraid::assembler
