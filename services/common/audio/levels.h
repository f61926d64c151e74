#ifndef UNBRAID_SERVICES_COMMON_AUDIO_LEVELS_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_LEVELS_H_

#include <cstdint>

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

// The one gain for all outputs of a separation: 1 exactly when nothing that `meter` saw rounds
// beyond the range of a signed integer of `bits` bits (or when `bits` is 0: floats never clip),
// otherwise the largest gain below 1 that lets all fit.
float CommonGain(const PeakMeter& meter, int bits);

// 20 log10(gain).
double ToDecibel(float gain);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_LEVELS_H_
