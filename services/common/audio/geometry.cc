#include "services/common/audio/geometry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace unbraid::audio {

absl::StatusOr<ChunkGeometry> ChunkGeometry::Create(int64_t window, int64_t overlap) {
  if (window < 2 || overlap < 0 || overlap > window / 2) {
    return absl::InvalidArgumentError(absl::StrCat("no cutting rule for a window of ", window,
                                                   " frames that overlap by ", overlap));
  }
  return ChunkGeometry(window, overlap);
}

int64_t ChunkGeometry::ChunkCount(int64_t total_frames) const {
  return (total_frames + stride() - 1) / stride();
}

ChunkSpan ChunkGeometry::Span(int64_t index, int64_t total_frames) const {
  ChunkSpan span;
  span.offset = index * stride();
  span.useful = std::min(window_, total_frames - span.offset);
  span.lead = (window_ - span.useful) / 2;
  span.window_start = span.offset - span.lead;
  return span;
}

}  // namespace unbraid::audio
