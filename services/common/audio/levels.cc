#include "services/common/audio/levels.h"

#include <algorithm>
#include <cmath>

namespace unbraid::audio {

void PeakMeter::Add(const float* samples, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    highest_ = std::max(highest_, samples[i]);
    lowest_ = std::min(lowest_, samples[i]);
  }
}

float CommonGain(const PeakMeter& meter, int bits) {
  if (bits == 0) return 1;
  const double full = std::ldexp(1.0, bits - 1);
  constexpr double kHalfStep = 0.5;
  const bool fits =
      meter.highest() * full < full - 1 + kHalfStep && meter.lowest() * full > -full - kHalfStep;
  if (fits) return 1;
  const double most = std::max(static_cast<double>(meter.highest()) / ((full - 1) / full),
                               -static_cast<double>(meter.lowest()));
  // The largest float that is not above the quotient.
  return std::nextafter(static_cast<float>(1.0 / most), 0.0F);
}

double ToDecibel(float gain) {
  constexpr double kPerDecade = 20;
  return gain == 1 ? 0 : kPerDecade * std::log10(static_cast<double>(gain));
}

}  // namespace unbraid::audio
