#ifndef UNBRAID_SERVICES_COMMON_AUDIO_PASSES_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_PASSES_H_

#include <cstdint>
#include <vector>

#include "services/common/audio/geometry.h"

namespace unbraid::audio {

// The most passes that may be asked for.
inline constexpr int kMaxShifts = 16;

// How many silent frames stand before the track in each pass. Without shifts (0) there is one pass,
// without silence. Otherwise there are `shifts` numbers from 0 to rate_hz / 2 (half a second), both
// included and all equally likely. Anybody can compute them: with n = rate_hz / 2 + 1 they are the
// outputs of SplitMix64, whose state begins as `seed`, modulo n, in order, leaving out those
// outputs that are not below the largest multiple of n which fits into 64 bits. Pure.
std::vector<int64_t> PassSilences(int shifts, int64_t seed, int rate_hz);

// Frames of a track, from `first` to before `end`.
struct TrackSpan {
  int64_t first = 0;
  int64_t end = 0;
};

// The passes over one track, whose mean is the result: each is the track with some silence before
// it, cut by the rule. The chunks of all passes are numbered one pass after the other. All figures
// are frames at the model's rate. Immutable.
class Passes {
 public:
  // Requires at least one pass, and a track that is not empty.
  Passes(const ChunkGeometry& geometry, std::vector<int64_t> silences, int64_t track_frames);

  const ChunkGeometry& geometry() const { return geometry_; }
  int count() const { return static_cast<int>(silences_.size()); }
  int last() const { return count() - 1; }
  int64_t track_frames() const { return track_frames_; }

  // Of one pass: its silence, and all its frames with that.
  int64_t Silence(int pass) const { return silences_[static_cast<size_t>(pass)]; }
  int64_t Frames(int pass) const { return Silence(pass) + track_frames_; }

  // Chunks of all passes.
  int64_t ChunkCount() const { return first_chunks_.back(); }
  // The first chunk of a pass; of pass count(), which there is not, ChunkCount().
  int64_t FirstChunk(int pass) const { return first_chunks_[static_cast<size_t>(pass)]; }
  // The pass that a chunk belongs to; of chunk ChunkCount(), which there is not, count().
  int PassOf(int64_t chunk) const;

  // As ChunkGeometry::Span, of the chunk's own pass, but counted from the track's first frame: a
  // pass begins before it. Requires 0 <= chunk < ChunkCount().
  ChunkSpan Span(int64_t chunk) const;
  // What of the track a chunk yields; empty where it yields silence only.
  TrackSpan InTrack(int64_t chunk) const;

  // How many chunks, from the first on, lie in the first `frames` frames of the track.
  int64_t ReadyChunks(int64_t frames) const;

  // Frames of the track that a pass has yielded once chunks 0 .. joined - 1 are joined.
  int64_t JoinedFrames(int pass, int64_t joined) const;

 private:
  ChunkGeometry geometry_;
  std::vector<int64_t> silences_;
  int64_t track_frames_;
  std::vector<int64_t> first_chunks_;  // of each pass, and of the one after the last
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_PASSES_H_
