#ifndef UNBRAID_SERVICES_COMMON_AUDIO_LEVELS_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_LEVELS_H_

#include <cstdint>

#include "services/common/audio/format.h"

namespace unbraid::audio {

// The extremes of everything that it has seen.
class PeakMeter {
 public:
  void Add(const float* samples, int64_t count);
  float highest() const { return highest_; }
  float lowest() const { return lowest_; }

 private:
  float highest_ = 0;
  float lowest_ = 0;
};

// What lies within full scale: between these, the bounds excluded, in steps of an integer format of
// `bits` bits. Half a step beyond its ends still rounds to them. Of 32 bits, whose steps are finer
// than a float, ±1.0 itself is within.
struct FullScale {
  double lowest;
  double highest;
};
FullScale FullScaleOf(int bits);

// Whether outputs of this (resolved) format get a common gain if they would clip.
bool TakesGain(const OutputFormat& format);

// The one gain for all outputs of a separation: 1 exactly when nothing that `meter` saw is beyond
// full scale, dither included (±1.0 for lossy formats), or when the format takes none; otherwise
// the largest gain below 1 that lets all fit.
float CommonGain(const PeakMeter& meter, const OutputFormat& format);

// 20 log10(gain).
double ToDecibel(float gain);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_LEVELS_H_
