#ifndef UNBRAID_SERVICES_COMMON_AUDIO_RESAMPLER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_RESAMPLER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

namespace unbraid::audio {

// Frames at `out_rate` that stand for `frames` at `in_rate`: rounded up, so that nothing is lost.
int64_t ResampledFrames(int64_t frames, int in_rate, int out_rate);

// Streaming change of rate at soxr's very high quality, delay compensated. One for a whole track,
// never one a chunk. Equal rates copy bit for bit. The output has exactly the frame count that is
// asked for: the resampler's own length differs from it by rounding only, which is cut, or filled
// with silence. Not thread-safe.
class Resampler {
 public:
  static absl::StatusOr<std::unique_ptr<Resampler>> Create(int in_rate, int out_rate, int channels,
                                                           int64_t out_frames);
  virtual ~Resampler() = default;

  // Takes interleaved frames and appends what is ready to `out`.
  virtual absl::Status Process(const float* interleaved, int64_t frames,
                               std::vector<float>* out) = 0;

  // After the last frame: appends the rest. INTERNAL when the input was too long or too short for
  // the output by more than rounding.
  virtual absl::Status Finish(std::vector<float>* out) = 0;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_RESAMPLER_H_
