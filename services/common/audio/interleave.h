#ifndef UNBRAID_SERVICES_COMMON_AUDIO_INTERLEAVE_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_INTERLEAVE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unbraid::audio {

// Samples in messages are bytes: little-endian float32, planar. In memory and on disk they are
// interleaved. This code runs on little-endian machines only, which the build checks.

// `frames` interleaved frames at `samples` as planar bytes.
std::string PlanarBytes(const float* samples, int64_t frames, int channels);

// The way back. INVALID_ARGUMENT when the size does not fit.
absl::StatusOr<std::vector<float>> InterleavedSamples(absl::string_view planar, int64_t frames,
                                                      int channels);

// Samples as the bytes that lie in memory, and back.
inline absl::string_view AsBytes(const float* samples, int64_t count) {
  return absl::string_view(reinterpret_cast<const char*>(samples),
                           static_cast<size_t>(count) * sizeof(float));
}

bool AllFinite(const float* samples, int64_t count);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_INTERLEAVE_H_
