#include "services/common/audio/sample_shaper.h"

#include <algorithm>
#include <cmath>

#include "services/common/audio/levels.h"

namespace unbraid::audio {

SampleShaper::SampleShaper(const OutputFormat& format, uint64_t dither_seed)
    : bits_(IntegerBits(format.sample_format)),
      clamp_floats_(format.clip == ClipPolicy::kClamp),
      dithered_(format.dither == Dither::kTpdf),
      dither_(dither_seed) {}

void SampleShaper::ToFloats(const float* samples, int64_t count, float gain,
                            std::vector<float>* out) {
  out->resize(static_cast<size_t>(count));
  for (size_t i = 0; i < out->size(); ++i) {
    const float sample = samples[i] * gain;
    const float within = clamp_floats_ ? std::clamp(sample, -1.0F, 1.0F) : sample;
    if (within != sample) ++limited_;
    (*out)[i] = within;
  }
}

void SampleShaper::ToIntegers(const float* samples, int64_t count, float gain,
                              std::vector<int>* out) {
  constexpr int kIntBits = 32;
  const double full = std::ldexp(1.0, bits_ - 1);
  const FullScale range = FullScaleOf(bits_);
  const int unit = 1 << (kIntBits - bits_);
  out->resize(static_cast<size_t>(count));
  for (size_t i = 0; i < out->size(); ++i) {
    double scaled = static_cast<double>(samples[i]) * gain * full;
    if (scaled <= range.lowest || scaled >= range.highest) ++limited_;
    if (dithered_ && samples[i] != 0) {
      scaled += dither_.At(position_ + static_cast<int64_t>(i));
    }
    (*out)[i] = static_cast<int>(std::clamp(std::nearbyint(scaled), -full, full - 1)) * unit;
  }
  position_ += count;
}

}  // namespace unbraid::audio
