#ifndef UNBRAID_SERVICES_COMMON_AUDIO_DITHER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_DITHER_H_

#include <cstdint>

namespace unbraid::audio {

// Triangular dither (TPDF): the sum of two independent uniform values of one step each, without
// which rounding leaves an error that is correlated with the music. Each value depends on the seed
// and its position alone, so it is the same at every run, however the samples come in blocks.
class TriangularDither {
 public:
  // Two outputs of one song get two seeds: equal dither would add up in their sum.
  explicit TriangularDither(uint64_t seed);

  // The value for the sample at `index`, counted over all channels; in steps, above -1 and below 1.
  double At(int64_t index) const;

 private:
  const uint64_t seed_;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_DITHER_H_
