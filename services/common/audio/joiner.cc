#include "services/common/audio/joiner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

double Weight(int64_t i, int64_t window) {
  return static_cast<double>(std::min(i + 1, window - i));
}

}  // namespace

Joiner::Joiner(ChunkGeometry geometry, int64_t total_frames, int channels)
    : geometry_(geometry),
      total_frames_(total_frames),
      chunks_(geometry.ChunkCount(total_frames)),
      channels_(channels) {}

absl::Status Joiner::CheckSize(int64_t index, absl::Span<const float> samples) const {
  if (index < 0 || index >= chunks_) {
    return absl::InvalidArgumentError(absl::StrCat("there is no chunk ", index, " to join"));
  }
  const int64_t wanted = geometry_.Span(index, total_frames_).useful * channels_;
  if (static_cast<int64_t>(samples.size()) == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("chunk ", index, " has ", samples.size(), " samples instead of ", wanted));
}

absl::Status Joiner::ResumeAt(int64_t index, absl::Span<const float> previous) {
  UNBRAID_RETURN_IF_ERROR(CheckSize(index - 1, previous));
  KeepTail(index - 1, previous);
  next_ = index;
  return absl::OkStatus();
}

absl::Status Joiner::ResumeWithTail(int64_t index, absl::Span<const float> tail) {
  const bool inside = index > 0 && index < chunks_;
  const int64_t wanted =
      inside ? (geometry_.Span(index - 1, total_frames_).useful - geometry_.stride()) * channels_
             : 0;
  if (index < 0 || index > chunks_ || static_cast<int64_t>(tail.size()) != wanted) {
    return absl::InvalidArgumentError(absl::StrCat("before chunk ", index, " stand ", tail.size(),
                                                   " samples instead of ", wanted));
  }
  tail_.assign(tail.begin(), tail.end());
  next_ = index;
  return absl::OkStatus();
}

absl::Status Joiner::Push(absl::Span<const float> samples, std::vector<float>* out) {
  UNBRAID_RETURN_IF_ERROR(CheckSize(next_, samples));
  const int64_t shared = static_cast<int64_t>(tail_.size()) / channels_;
  const size_t start = out->size();
  out->resize(start + static_cast<size_t>(shared * channels_));
  float* faded = out->data() + start;
  for (int64_t i = 0; i < shared; ++i) {
    const double before = Weight(geometry_.stride() + i, geometry_.window());
    const double after = Weight(i, geometry_.window());
    for (int c = 0; c < channels_; ++c) {
      const auto at = static_cast<size_t>(i * channels_ + c);
      const double y1 = tail_[at];
      const double y2 = samples[at];
      // Equal values must come out unchanged, which the quotient alone does not promise.
      faded[at] = y1 == y2 ? samples[at]
                           : static_cast<float>((before * y1 + after * y2) / (before + after));
    }
  }
  const bool last = next_ + 1 == chunks_;
  const int64_t useful = static_cast<int64_t>(samples.size()) / channels_;
  const int64_t end = last ? useful : std::min(geometry_.stride(), useful);
  out->insert(out->end(), samples.begin() + shared * channels_, samples.begin() + end * channels_);
  KeepTail(next_, samples);
  ++next_;
  return absl::OkStatus();
}

void Joiner::KeepTail(int64_t index, absl::Span<const float> samples) {
  tail_.clear();
  if (index + 1 >= chunks_) return;
  tail_.assign(samples.begin() + geometry_.stride() * channels_, samples.end());
}

int64_t Joiner::FramesJoinedBefore(const ChunkGeometry& geometry, int64_t index,
                                   int64_t total_frames) {
  return std::min(index * geometry.stride(), total_frames);
}

}  // namespace unbraid::audio
