#include "services/common/audio/statistics.h"

#include <algorithm>
#include <cmath>

namespace unbraid::audio {
namespace {

constexpr double kDemucsEpsilon = 1e-8;
constexpr double kLeastShareOfRms = 0.01;
constexpr double kLeastScale = 1e-5;

}  // namespace

void TrackStatistics::Add(const float* interleaved, int64_t frames) {
  for (int64_t i = 0; i < frames; ++i) {
    double mono = 0;
    for (int c = 0; c < channels_; ++c) {
      const double sample = interleaved[i * channels_ + c];
      mono += sample;
      energy_ += sample * sample;
    }
    mono /= channels_;
    ++frames_;
    const double distance = mono - mean_;
    mean_ += distance / static_cast<double>(frames_);
    squares_ += distance * (mono - mean_);
  }
}

double TrackStatistics::deviation() const {
  return frames_ > 1 ? std::sqrt(squares_ / static_cast<double>(frames_ - 1)) : 0;
}

double TrackStatistics::rms() const {
  return frames_ > 0 ? std::sqrt(energy_ / static_cast<double>(frames_ * channels_)) : 0;
}

double TrackStatistics::Scale() const {
  return std::max({deviation() + kDemucsEpsilon, kLeastShareOfRms * rms(), kLeastScale});
}

}  // namespace unbraid::audio
