#include "services/common/audio/dither.h"

namespace unbraid::audio {
namespace {

// SplitMix64: a counter goes in, and what comes out passes for random.
uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15ULL;

}  // namespace

// Mixed, so that neighbouring seeds are not neighbouring positions.
TriangularDither::TriangularDither(uint64_t seed) : seed_(Mix(seed + kGolden)) {}

double TriangularDither::At(int64_t index) const {
  const uint64_t bits = Mix(seed_ + (static_cast<uint64_t>(index) + 1) * kGolden);
  constexpr unsigned kHalf = 32;
  constexpr double kStep = 1.0 / 4294967296.0;
  const auto first = static_cast<double>(bits >> kHalf);
  const auto second = static_cast<double>(bits & 0xFFFFFFFFULL);
  return (first - second) * kStep;
}

}  // namespace unbraid::audio
