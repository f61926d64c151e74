#ifndef UNBRAID_SERVICES_COMMON_AUDIO_JOINER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_JOINER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "services/common/audio/geometry.h"

namespace unbraid::audio {

// Overlap-add of one stem, chunk by chunk in track order. A frame that one chunk covers is that
// chunk's sample, bit for bit; where two cover it, it is (w1*y1 + w2*y2) / (w1 + w2) in double with
// w[i] = min(i + 1, L - i), rounded once. So the result depends on nothing but the chunks' samples.
// Not thread-safe.
class Joiner {
 public:
  Joiner(ChunkGeometry geometry, int64_t total_frames, int channels);

  // Goes on after chunk `index` - 1, whose interleaved samples are `previous`; gives the same bits
  // as a joiner that has taken all chunks before.
  absl::Status ResumeAt(int64_t index, absl::Span<const float> previous);

  // The same with the tail() that a joiner had there.
  absl::Status ResumeWithTail(int64_t index, absl::Span<const float> tail);

  // Takes the next chunk: exactly `useful` frames of it, interleaved. Appends the frames that are
  // final now to `out`. INVALID_ARGUMENT when the size is wrong or there are no chunks left.
  absl::Status Push(absl::Span<const float> samples, std::vector<float>* out);

  // The chunk that Push takes next.
  int64_t next_index() const { return next_; }

  // What the last chunk shares with the next one, interleaved; empty before the first and after the
  // last.
  absl::Span<const float> tail() const { return tail_; }

  // Frames that are final once chunks 0 .. index - 1 are joined.
  static int64_t FramesJoinedBefore(const ChunkGeometry& geometry, int64_t index,
                                    int64_t total_frames);

 private:
  absl::Status CheckSize(int64_t index, absl::Span<const float> samples) const;
  void KeepTail(int64_t index, absl::Span<const float> samples);

  ChunkGeometry geometry_;
  int64_t total_frames_;
  int64_t chunks_;
  int channels_;
  int64_t next_ = 0;
  std::vector<float> tail_;  // what the last chunk shares with the next
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_JOINER_H_
