#ifndef UNBRAID_SERVICES_COMMON_AUDIO_GEOMETRY_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_GEOMETRY_H_

#include <cstdint>

#include "absl/status/statusor.h"

namespace unbraid::audio {

// One chunk of a track. All figures are frames at the model's rate.
struct ChunkSpan {
  int64_t offset = 0;        // o_k: first frame of the track that the chunk yields
  int64_t useful = 0;        // n_k: how many it yields
  int64_t lead = 0;          // d: where they begin in the model's window
  int64_t window_start = 0;  // o_k - d: where the window begins in the track; may be negative
};

// The cutting rule: windows of L frames that overlap by V, every S = L - V frames; a short last
// chunk is centred in its window, so that it keeps its left context. Since V <= L/2, no frame is
// covered by more than two chunks.
class ChunkGeometry {
 public:
  // INVALID_ARGUMENT unless L >= 2 and 0 <= V <= L/2.
  static absl::StatusOr<ChunkGeometry> Create(int64_t window, int64_t overlap);

  int64_t window() const { return window_; }
  int64_t overlap() const { return overlap_; }
  int64_t stride() const { return window_ - overlap_; }

  // Chunks of a track of `total_frames`; none for an empty track.
  int64_t ChunkCount(int64_t total_frames) const;

  // Requires 0 <= index < ChunkCount(total_frames).
  ChunkSpan Span(int64_t index, int64_t total_frames) const;

 private:
  ChunkGeometry(int64_t window, int64_t overlap) : window_(window), overlap_(overlap) {}

  int64_t window_;
  int64_t overlap_;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_GEOMETRY_H_
