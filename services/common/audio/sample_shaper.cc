#include "services/common/audio/sample_shaper.h"

#include <algorithm>
#include <cmath>

#include "services/common/audio/levels.h"

namespace unbraid::audio {
namespace {

// The nearest integer, ties to even, from -full to full - 1. Limited before it is rounded, which
// comes to the same, so that the sum below is exact: one step is the last bit of `kRound`.
inline int RoundWithin(double value, double full) {
  constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52
  const double within = std::min(std::max(value, -full), full - 1);
  return static_cast<int>((within + kRound) - kRound);
}

}  // namespace

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
  if (dithered_) {
    for (int64_t i = 0; i < count; ++i) {
      double scaled = static_cast<double>(samples[i]) * gain * full;
      limited_ += static_cast<int64_t>(scaled <= range.lowest || scaled >= range.highest);
      if (samples[i] != 0) scaled += dither_.At(position_ + i);
      (*out)[static_cast<size_t>(i)] = RoundWithin(scaled, full) * unit;
    }
  } else {
    // In blocks whose count fits into as many bits as a sample has: that makes vector instructions.
    constexpr int64_t kBlock = 4096;
    for (int64_t begin = 0; begin < count; begin += kBlock) {
      const int64_t end = std::min(begin + kBlock, count);
      int limited = 0;
      for (int64_t i = begin; i < end; ++i) {
        const double scaled = static_cast<double>(samples[i]) * gain * full;
        limited +=
            static_cast<int>(scaled <= range.lowest) + static_cast<int>(scaled >= range.highest);
        (*out)[static_cast<size_t>(i)] = RoundWithin(scaled, full) * unit;
      }
      limited_ += limited;
    }
  }
  position_ += count;
}

}  // namespace unbraid::audio
