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
  UNBRAID_ASSIGN_OR_RETURN(JoinedTails tails, JoinedTails::Open(files));
  std::unique_ptr<JoinPipeline> pipeline(new JoinPipeline(job, files, std::move(tails)));
  UNBRAID_RETURN_IF_ERROR(pipeline->ResumeAll(job.joined));
  UNBRAID_RETURN_IF_ERROR(files.SyncJoinedFolder());
  return pipeline;
}
absl::Status JoinPipeline::ResumeAll(int64_t joined) {
  UNBRAID_ASSIGN_OR_RETURN(const auto tails, tails_.Load(joined, computed_stems_));
  std::vector<Stem> stems;
  for (int i = 0; i < computed_stems_; ++i) {
    UNBRAID_ASSIGN_OR_RETURN(Stem stem, Resume(i, joined, tails));
    stems.push_back(std::move(stem));
  }
  stems_ = std::move(stems);
  // What goes on from a chunk's file does so once.
  return tails.has_value() || joined == 0 ? absl::OkStatus() : SaveTails(joined - 1, joined);
}

absl::StatusOr<JoinPipeline::Stem> JoinPipeline::Resume(
    int index, int64_t joined, const std::optional<JoinedTails::Samples>& tails) const {
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
  if (next > 0 && tails.has_value()) {
    UNBRAID_RETURN_IF_ERROR(joiner.ResumeWithTail(next, (*tails)[static_cast<size_t>(index)]));
  } else if (next > 0) {
    UNBRAID_ASSIGN_OR_RETURN(const auto previous, files_.ReadChunk(joined - 1, index));
    UNBRAID_RETURN_IF_ERROR(joiner.ResumeAt(next, previous));
  }
  return Stem{pass, std::move(joiner), frames};
}

absl::Status JoinPipeline::JoinUpTo(int64_t recorded, int64_t count, const Fresh& fresh) {
  const bool ahead = std::any_of(stems_.begin(), stems_.end(),
                                 [&](const Stem& stem) { return NextChunk(stem) > count; });
  // What was joined last time was never recorded, and is not all there now. Should going back fail
  // in the middle, some files are cut and others are not, so it must be done before anything else.
  torn_ = torn_ || ahead;
  if (torn_) UNBRAID_RETURN_IF_ERROR(ResumeAll(recorded));
  torn_ = false;
  while (true) {
    std::vector<Step> steps;
    for (int i = 0; i < static_cast<int>(stems_.size()); ++i) {
      const Stem& stem = stems_[static_cast<size_t>(i)];
      if (NextChunk(stem) >= count) continue;
      if (NextChunk(stem) == passes_.FirstChunk(stem.pass + 1))
        UNBRAID_RETURN_IF_ERROR(BeginPass(i));
      UNBRAID_ASSIGN_OR_RETURN(
          Step step, JoinStem(i, std::min(count, passes_.FirstChunk(stem.pass + 1)), fresh));
      steps.push_back(std::move(step));
    }
    if (steps.empty()) return SaveTails(recorded, count);
    // All are written by now, so that the first sync does not hold up the others' bytes.
    for (Step& step : steps) UNBRAID_RETURN_IF_ERROR(step.file.Sync());
    for (Step& step : steps) stems_[static_cast<size_t>(step.index)] = std::move(step.stem);
  }
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

absl::StatusOr<JoinPipeline::Step> JoinPipeline::JoinStem(int index, int64_t count,
                                                          const Fresh& fresh) const {
  Stem stem = stems_[static_cast<size_t>(index)];
  std::vector<float> joined;
  joined.reserve(
      static_cast<size_t>((count - NextChunk(stem)) * passes_.geometry().window() * channels_));
  for (int64_t chunk = NextChunk(stem); chunk < count; ++chunk) {
    const auto found = fresh.find({chunk, index});
    if (found != fresh.end()) {
      UNBRAID_RETURN_IF_ERROR(stem.joiner.Push(found->second, &joined));
      continue;
    }
    UNBRAID_ASSIGN_OR_RETURN(const std::vector<float> stored, files_.ReadChunk(chunk, index));
    UNBRAID_RETURN_IF_ERROR(stem.joiner.Push(stored, &joined));
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
  stem.written_frames += frames;
  return Step{index, std::move(file), std::move(stem)};
}

absl::Status JoinPipeline::SaveTails(int64_t recorded, int64_t count) {
  std::vector<absl::Span<const float>> tails;
  for (const Stem& stem : stems_) tails.push_back(stem.joiner.tail());
  return tails_.Save(recorded, count, tails);
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
