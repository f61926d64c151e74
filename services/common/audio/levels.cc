#include "services/common/audio/levels.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace unbraid::audio {
namespace {

constexpr int kFloatBits = 24;  // a float's precision

// The largest float that is not above 1 / most.
float Inverse(double most) {
  const double exact = 1.0 / most;
  const auto gain = static_cast<float>(exact);
  return static_cast<double>(gain) <= exact ? gain : std::nextafter(gain, 0.0F);
}

}  // namespace

void PeakMeter::Add(const float* samples, int64_t count) {
  // In lanes, which the compiler makes vector instructions of.
  constexpr int64_t kLanes = 8;
  std::array<float, kLanes> highest;
  std::array<float, kLanes> lowest;
  highest.fill(highest_);
  lowest.fill(lowest_);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const auto at = static_cast<size_t>(lane);
      highest[at] = std::max(highest[at], samples[i + lane]);
      lowest[at] = std::min(lowest[at], samples[i + lane]);
    }
  }
  for (; i < count; ++i) {
    highest[0] = std::max(highest[0], samples[i]);
    lowest[0] = std::min(lowest[0], samples[i]);
  }
  highest_ = *std::max_element(highest.begin(), highest.end());
  lowest_ = *std::min_element(lowest.begin(), lowest.end());
}

FullScale FullScaleOf(int bits) {
  const double full = std::ldexp(1.0, bits - 1);
  constexpr double kHalfStep = 0.5;
  return {-full - kHalfStep, bits > kFloatBits ? full + kHalfStep : full - kHalfStep};
}

bool TakesGain(const OutputFormat& format) {
  return format.clip == ClipPolicy::kGain &&
         (format.IsLossy() || IntegerBits(format.sample_format) > 0);
}

float CommonGain(const PeakMeter& meter, const OutputFormat& format) {
  if (!TakesGain(format)) return 1;
  const double highest = meter.highest();
  const double lowest = meter.lowest();
  if (format.IsLossy()) return Inverse(std::max({highest, -lowest, 1.0}));
  const int bits = IntegerBits(format.sample_format);
  const double full = std::ldexp(1.0, bits - 1);
  const FullScale range = FullScaleOf(bits);
  // Dither stays below one step. What is finer than a float does not count.
  const double room = format.dither == Dither::kTpdf && bits <= kFloatBits ? 1 : 0;
  if (highest * full < range.highest - room && lowest * full > range.lowest + room) return 1;
  constexpr double kHalfStep = 0.5;
  return Inverse(std::max(highest * full / (range.highest - kHalfStep - room),
                          lowest * full / (range.lowest + kHalfStep + room)));
}

double ToDecibel(float gain) {
  constexpr double kPerDecade = 20;
  return gain == 1 ? 0 : kPerDecade * std::log10(static_cast<double>(gain));
}

}  // namespace unbraid::audio
