#include "services/assembler/stem_reader.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {

absl::StatusOr<StemReader> StemReader::Open(const Job& job, const ChunkFiles& files,
                                            base::Crew* crew) {
  StemReader reader(job, crew);
  for (int i = 0; i < job.computed_stems(); ++i) {
    UNBRAID_ASSIGN_OR_RETURN(JoinedStem stem,
                             JoinedStem::Open(files.JoinedPath(i), reader.shape_, 0));
    reader.stems_.push_back(std::move(stem));
  }
  if (job.open.separation().residual()) {
    UNBRAID_ASSIGN_OR_RETURN(reader.residual_, ResidualReader::Open(files.SongPath()));
  }
  return reader;
}

StemReader::StemReader(const Job& job, base::Crew* crew)
    : job_(job),
      crew_(crew),
      shape_{job.open.model_rate_hz(), job.open.track().sample_rate_hz(),
             job.open.track().channels(), job.open.track().frames()} {
  const auto& gains = job.open.separation().mix().gains();
  for (int stem : job.open.computed_stems()) {
    const auto gain = gains.find(job.open.model_stems(stem));
    mix_gains_.push_back(gain == gains.end() ? 0 : gain->second);
  }
}

absl::StatusOr<bool> StemReader::Next(int64_t joined_frames, Block* block) {
  const int64_t frames = std::min(kBlockFrames, job_.model_frames - position_);
  if (finished_ || position_ + frames > joined_frames) return false;
  block->resize(stems_.size() + (residual_ ? 2 : 1));
  for (std::vector<float>& part : *block) part.clear();
  UNBRAID_RETURN_IF_ERROR(crew_->Run(static_cast<int>(stems_.size()), [&](int i) {
    const auto at = static_cast<size_t>(i);
    return stems_[at].Read(frames, &(*block)[at]);
  }));
  position_ += frames;
  finished_ = frames == 0;
  const auto computed = absl::MakeConstSpan(block->data(), stems_.size());
  MixStems(computed, mix_gains_, &(*block)[stems_.size()]);
  if (residual_) {
    UNBRAID_RETURN_IF_ERROR(residual_->Next(computed, &(*block)[stems_.size() + 1]));
  }
  for (size_t part = 0; part < block->size(); ++part) {
    UNBRAID_RETURN_IF_ERROR(CheckOutput((*block)[part], NameOf(part), shape_, given_));
  }
  given_ += static_cast<int64_t>(block->front().size()) / shape_.channels;
  return true;
}

std::string StemReader::NameOf(size_t part) const {
  if (part == stems_.size()) return "mix";
  if (part > stems_.size()) return "residual";
  return job_.open.model_stems(job_.open.computed_stems(static_cast<int>(part)));
}

double StemReader::share() const {
  return static_cast<double>(position_) /
         static_cast<double>(std::max<int64_t>(job_.model_frames, 1));
}

}  // namespace unbraid::assembler
