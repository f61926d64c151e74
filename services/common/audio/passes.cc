#include "services/common/audio/passes.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "services/common/audio/joiner.h"

namespace unbraid::audio {
namespace {

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15U;
    uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  // From 0 to n - 1.
  uint64_t Below(uint64_t n) {
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    const uint64_t rest = (kMost % n + 1) % n;  // of 2^64
    while (true) {
      const uint64_t drawn = Next();
      if (drawn <= kMost - rest) return drawn % n;
    }
  }

 private:
  uint64_t state_;
};

}  // namespace

std::vector<int64_t> PassSilences(int shifts, int64_t seed, int rate_hz) {
  if (shifts == 0) return {0};
  SplitMix64 random(static_cast<uint64_t>(seed));
  std::vector<int64_t> silences;
  for (int pass = 0; pass < shifts; ++pass)
    silences.push_back(static_cast<int64_t>(random.Below(static_cast<uint64_t>(rate_hz) / 2 + 1)));
  return silences;
}

Passes::Passes(const ChunkGeometry& geometry, std::vector<int64_t> silences, int64_t track_frames)
    : geometry_(geometry), silences_(std::move(silences)), track_frames_(track_frames) {
  first_chunks_.push_back(0);
  for (int pass = 0; pass < count(); ++pass)
    first_chunks_.push_back(first_chunks_.back() + geometry_.ChunkCount(Frames(pass)));
}

int Passes::PassOf(int64_t chunk) const {
  const auto after = std::upper_bound(first_chunks_.begin(), first_chunks_.end(), chunk);
  return static_cast<int>(after - first_chunks_.begin()) - 1;
}

ChunkSpan Passes::Span(int64_t chunk) const {
  const int pass = PassOf(chunk);
  ChunkSpan span = geometry_.Span(chunk - FirstChunk(pass), Frames(pass));
  span.offset -= Silence(pass);
  span.window_start -= Silence(pass);
  return span;
}

TrackSpan Passes::InTrack(int64_t chunk) const {
  const ChunkSpan span = Span(chunk);
  return {std::max<int64_t>(span.offset, 0), std::max<int64_t>(span.offset + span.useful, 0)};
}

int64_t Passes::ReadyChunks(int64_t frames) const {
  if (frames >= track_frames_) return ChunkCount();
  // A window that ends before the track does begins with its chunk.
  const int64_t there = Silence(0) + frames;
  return there < geometry_.window() ? 0 : (there - geometry_.window()) / geometry_.stride() + 1;
}

int64_t Passes::JoinedFrames(int pass, int64_t joined) const {
  const int64_t of_pass = std::max<int64_t>(joined - FirstChunk(pass), 0);
  const int64_t frames = Joiner::FramesJoinedBefore(geometry_, of_pass, Frames(pass));
  return std::max<int64_t>(frames - Silence(pass), 0);
}

}  // namespace unbraid::audio
