#include "services/assembler/join_pipeline.h"

#include <algorithm>
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
  std::unique_ptr<JoinPipeline> pipeline(new JoinPipeline(job, files));
  for (int stem = 0; stem < job.computed_stems(); ++stem)
    UNBRAID_RETURN_IF_ERROR(pipeline->Resume(stem, job.joined));
  UNBRAID_RETURN_IF_ERROR(files.SyncJoinedFolder());
  return pipeline;
}

absl::Status JoinPipeline::Resume(int index, int64_t joined) {
  const int last = passes_.last();
  const int pass = std::min(passes_.PassOf(joined), last);
  if (pass > 0 && joined < passes_.ChunkCount())
    UNBRAID_RETURN_IF_ERROR(CutTo(PathOf(index, pass - 1), Bytes(passes_.track_frames())));
  // Followers open it from the beginning.
  if (pass < last) UNBRAID_RETURN_IF_ERROR(CutTo(PathOf(index, last), 0));
  const int64_t frames = passes_.JoinedFrames(pass, joined);
  UNBRAID_RETURN_IF_ERROR(CutTo(PathOf(index, pass), Bytes(frames)));
  audio::Joiner joiner(passes_.geometry(), passes_.Frames(pass), channels_);
  const int64_t next = joined - passes_.FirstChunk(pass);
  if (next > 0) {
    UNBRAID_ASSIGN_OR_RETURN(const auto previous, files_.ReadChunk(joined - 1, index));
    UNBRAID_RETURN_IF_ERROR(joiner.ResumeAt(next, previous));
  }
  stems_.push_back({pass, std::move(joiner), frames});
  return absl::OkStatus();
}

absl::Status JoinPipeline::JoinUpTo(int64_t count) {
  for (int i = 0; i < static_cast<int>(stems_.size()); ++i) {
    const Stem& stem = stems_[static_cast<size_t>(i)];
    while (NextChunk(stem) < count) {
      if (NextChunk(stem) == passes_.FirstChunk(stem.pass + 1))
        UNBRAID_RETURN_IF_ERROR(BeginPass(i));
      UNBRAID_RETURN_IF_ERROR(JoinStem(i, std::min(count, passes_.FirstChunk(stem.pass + 1))));
    }
  }
  return absl::OkStatus();
}

int64_t JoinPipeline::NextChunk(const Stem& stem) const {
  return passes_.FirstChunk(stem.pass) + stem.joiner.next_index();
}

absl::Status JoinPipeline::BeginPass(int index) {
  Stem& stem = stems_[static_cast<size_t>(index)];
  const int pass = stem.pass + 1;
  UNBRAID_RETURN_IF_ERROR(CutTo(PathOf(index, pass), 0));
  UNBRAID_RETURN_IF_ERROR(files_.SyncJoinedFolder());
  stem = {pass, audio::Joiner(passes_.geometry(), passes_.Frames(pass), channels_), 0};
  return absl::OkStatus();
}

absl::Status JoinPipeline::JoinStem(int index, int64_t count) {
  Stem& stem = stems_[static_cast<size_t>(index)];
  const int64_t first = passes_.FirstChunk(stem.pass);
  std::vector<float> joined;
  audio::Joiner advanced = stem.joiner;
  while (first + advanced.next_index() < count) {
    UNBRAID_ASSIGN_OR_RETURN(const std::vector<float> chunk,
                             files_.ReadChunk(first + advanced.next_index(), index));
    UNBRAID_RETURN_IF_ERROR(advanced.Push(chunk, &joined));
  }
  // What comes before them is the silence before the track.
  const int64_t frames = passes_.JoinedFrames(stem.pass, count) - stem.written_frames;
  joined.erase(joined.begin(), joined.end() - frames * channels_);
  UNBRAID_RETURN_IF_ERROR(SumPasses(index, &joined));
  const absl::string_view bytes =
      audio::AsBytes(joined.data(), static_cast<int64_t>(joined.size()));
  UNBRAID_ASSIGN_OR_RETURN(File file,
                           File::Open(PathOf(index, stem.pass), File::Mode::kCreateOrOpen));
  UNBRAID_RETURN_IF_ERROR(file.WriteAt(Bytes(stem.written_frames), bytes));
  UNBRAID_RETURN_IF_ERROR(file.Sync());
  stem.written_frames += frames;
  stem.joiner = std::move(advanced);
  return absl::OkStatus();
}

absl::Status JoinPipeline::SumPasses(int index, std::vector<float>* samples) const {
  const Stem& stem = stems_[static_cast<size_t>(index)];
  if (stem.pass > 0) {
    const std::string path = PathOf(index, stem.pass - 1);
    UNBRAID_ASSIGN_OR_RETURN(const File before, File::Open(path, File::Mode::kRead));
    std::vector<float> sums(samples->size());
    const auto bytes = static_cast<int64_t>(sums.size() * sizeof(float));
    UNBRAID_ASSIGN_OR_RETURN(
        const int64_t got,
        before.ReadAt(Bytes(stem.written_frames), reinterpret_cast<char*>(sums.data()), bytes));
    if (got != bytes) return absl::DataLossError(absl::StrCat(path, " is shorter than the track"));
    for (size_t i = 0; i < sums.size(); ++i) (*samples)[i] = sums[i] + (*samples)[i];
  }
  if (stem.pass == passes_.last() && passes_.count() > 1) {
    const auto count = static_cast<float>(passes_.count());
    for (float& sample : *samples) sample /= count;
  }
  return absl::OkStatus();
}

std::string JoinPipeline::PathOf(int index, int pass) const {
  return pass == passes_.last() ? files_.JoinedPath(index) : files_.PassPath(pass, index);
}

int64_t JoinPipeline::Bytes(int64_t frames) const {
  return frames * channels_ * static_cast<int64_t>(sizeof(float));
}

}  // namespace unbraid::assembler
