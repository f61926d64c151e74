#ifndef UNBRAID_SERVICES_COMMON_AUDIO_SAMPLE_SHAPER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_SAMPLE_SHAPER_H_

#include <cstdint>
#include <vector>

#include "services/common/audio/dither.h"
#include "services/common/audio/format.h"

namespace unbraid::audio {

// Turns the samples of one output, block after block, into what its (resolved) format holds: gain,
// limit, dither, rounding. Counts what was limited. Not thread-safe.
class SampleShaper {
 public:
  SampleShaper(const OutputFormat& format, uint64_t dither_seed);

  // Floats times `gain`; limited to ±1.0 under CLAMP.
  void ToFloats(const float* samples, int64_t count, float gain, std::vector<float>* out);

  // round(x * gain * 2^(bits-1)), limited to the range, in the upper bits of an int. What was
  // decoded from integers comes back as the same integers. A sample that is exactly 0 gets no
  // dither.
  void ToIntegers(const float* samples, int64_t count, float gain, std::vector<int>* out);

  // Samples that were beyond full scale and were limited to it.
  int64_t limited() const { return limited_; }

 private:
  const int bits_;
  const bool clamp_floats_;
  const bool dithered_;
  const TriangularDither dither_;
  int64_t position_ = 0;
  int64_t limited_ = 0;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_SAMPLE_SHAPER_H_
