#include "services/common/audio/interleave.h"

#include <algorithm>
#include <cstring>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"

#ifndef ABSL_IS_LITTLE_ENDIAN
#error "samples are exchanged as they lie in memory, which must be little-endian"
#endif

namespace unbraid::audio {
namespace {

// Two planes, read side by side and written once.
void InterleavePair(const char* planar, int64_t frames, float* out) {
  const char* second = planar + static_cast<size_t>(frames) * sizeof(float);
  for (int64_t i = 0; i < frames; ++i) {
    std::memcpy(&out[2 * i], planar + static_cast<size_t>(i) * sizeof(float), sizeof(float));
    std::memcpy(&out[2 * i + 1], second + static_cast<size_t>(i) * sizeof(float), sizeof(float));
  }
}

}  // namespace

std::string PlanarBytes(const float* samples, int64_t frames, int channels) {
  std::string bytes(static_cast<size_t>(frames * channels) * sizeof(float), '\0');
  char* out = bytes.data();
  for (int c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < frames; ++i, out += sizeof(float)) {
      std::memcpy(out, &samples[i * channels + c], sizeof(float));
    }
  }
  return bytes;
}

absl::StatusOr<std::vector<float>> InterleavedSamples(absl::string_view planar, int64_t frames,
                                                      int channels) {
  // Divided and not multiplied: a number of frames out of a message may be any, and would overflow.
  const size_t frame_bytes = static_cast<size_t>(std::max(channels, 0)) * sizeof(float);
  if (frames < 0 || frame_bytes == 0 || planar.size() % frame_bytes != 0 ||
      planar.size() / frame_bytes != static_cast<uint64_t>(frames)) {
    return absl::InvalidArgumentError(absl::StrCat(planar.size(), " bytes are not ", frames,
                                                   " frames of ", channels, " channels"));
  }
  std::vector<float> samples(planar.size() / sizeof(float));
  if (channels == 2) {
    InterleavePair(planar.data(), frames, samples.data());
    return samples;
  }
  const char* in = planar.data();
  for (int c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < frames; ++i, in += sizeof(float)) {
      std::memcpy(&samples[static_cast<size_t>(i * channels + c)], in, sizeof(float));
    }
  }
  return samples;
}

// Without a branch for each sample, so that the compiler makes vector instructions of it.
bool AllFinite(const float* samples, int64_t count) {
  constexpr uint32_t kExponent = 0x7F800000;
  constexpr int64_t kBlock = 4096;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, count);
    uint32_t bad = 0;
    for (int64_t i = begin; i < end; ++i) {
      uint32_t bits;
      std::memcpy(&bits, &samples[i], sizeof(bits));
      bad |= static_cast<uint32_t>((bits & kExponent) == kExponent);
    }
    if (bad != 0) return false;
  }
  return true;
}

}  // namespace unbraid::audio
