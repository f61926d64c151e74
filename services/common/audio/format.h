#ifndef UNBRAID_SERVICES_COMMON_AUDIO_FORMAT_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace unbraid::audio {

inline constexpr int kMaxChannels = 8;
inline constexpr int kMinRateHz = 8'000;
inline constexpr int kMaxRateHz = 192'000;

// Depth of a sample. The numbers are those of unbraid.v1.SampleFormat, which a test checks.
enum class SampleFormat { kSource = 1, kU8 = 2, kS16 = 3, kS24 = 4, kS32 = 5, kF32 = 6, kF64 = 7 };

enum class OutputContainer { kWav, kFlac };

// What a file says about its song: one line of UTF-8 each, at most kMaxTagBytes; empty where it
// says nothing.
struct Tags {
  std::string title;
  std::string artist;
  std::string album;
};

inline constexpr size_t kMaxTagBytes = 1024;

// What a decoder found in a file.
struct TrackFormat {
  std::string container;  // "WAV", "FLAC", "OGG", "MP3", ...
  std::string codec;      // "PCM_S16", "VORBIS", ...
  SampleFormat sample_format = SampleFormat::kF32;
  int rate_hz = 0;
  int channels = 0;
};

struct OutputFormat {
  OutputContainer container = OutputContainer::kWav;
  SampleFormat sample_format = SampleFormat::kSource;

  // File extension without a dot.
  std::string Extension() const { return container == OutputContainer::kFlac ? "flac" : "wav"; }
};

// Bits of an integer format; 0 for floats and kSource.
int IntegerBits(SampleFormat format);

// Channels that stems of a track have: mono stays mono, everything else becomes stereo.
inline int StemChannels(int source_channels) { return source_channels == 1 ? 1 : 2; }

// Turns kSource into what the container can hold of `source`: u8 and s16 become s16, s24 stays,
// everything finer becomes f32 in WAV and s24 in FLAC. INVALID_ARGUMENT (UNSUPPORTED_OUTPUT) for a
// depth that the container does not have.
absl::StatusOr<OutputFormat> ResolveOutput(OutputFormat wanted, SampleFormat source);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_FORMAT_H_
