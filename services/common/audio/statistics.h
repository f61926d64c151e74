#ifndef UNBRAID_SERVICES_COMMON_AUDIO_STATISTICS_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_STATISTICS_H_

#include <cstdint>

namespace unbraid::audio {

// Running mean and deviation (N - 1) of the mono mix of a track, and the RMS of all its channels,
// in double.
class TrackStatistics {
 public:
  explicit TrackStatistics(int channels) : channels_(channels) {}

  void Add(const float* interleaved, int64_t frames);

  double mean() const { return mean_; }
  double deviation() const;
  double rms() const;

  // What a model that asks for normalisation by track divides by: the deviation + 1e-8, as Demucs
  // has it, but at least 1 % of the RMS and 1e-5, so that silence and anti-phase audio (whose mono
  // mix is silent) stay finite.
  double Scale() const;

 private:
  const int channels_;
  int64_t frames_ = 0;
  double mean_ = 0;
  double squares_ = 0;  // sum of squared distances from the mean (Welford)
  double energy_ = 0;   // sum of squares over all channels
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_STATISTICS_H_
