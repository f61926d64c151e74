#ifndef UNBRAID_SERVICES_COMMON_AUDIO_FORMAT_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace unbraid::audio {

inline constexpr int kMaxChannels = 8;
inline constexpr int kMinRateHz = 8'000;
inline constexpr int kMaxRateHz = 192'000;

// The numbers of these are those of unbraid.v1, which a test checks.

// Depth of a sample. kNone is what a lossy output has.
enum class SampleFormat {
  kNone = 0,
  kSource = 1,
  kU8 = 2,
  kS16 = 3,
  kS24 = 4,
  kS32 = 5,
  kF32 = 6,
  kF64 = 7
};

enum class OutputContainer {
  kWav = 1,
  kFlac = 2,
  kAiff = 3,
  kOggVorbis = 4,
  kOggOpus = 5,
  kMp3 = 6
};

// What is done about samples beyond full scale.
enum class ClipPolicy { kGain = 1, kClamp = 2, kNone = 3 };

// kUnspecified is what an output without integers has.
enum class Dither { kUnspecified = 0, kAuto = 1, kNone = 2, kTpdf = 3 };

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
  ClipPolicy clip = ClipPolicy::kGain;
  Dither dither = Dither::kAuto;
  std::optional<double> quality;  // 0 to 1
  int bitrate_kbps = 0;           // 0: not asked for

  bool IsLossy() const;

  // File extension without a dot.
  std::string Extension() const;

  // What a file of this format decodes to for a track of this rate and length.
  int RateHz(int track_rate_hz) const;
  int64_t Frames(int64_t track_frames, int track_rate_hz) const;
};

// What of a track decides how its outputs can be written.
struct OutputSource {
  SampleFormat sample_format = SampleFormat::kF32;  // F32 for lossy tracks
  int rate_hz = 0;
  int channels = 0;  // of the outputs
  int64_t frames = 0;
};

// Bits of an integer format; 0 for all others.
int IntegerBits(SampleFormat format);

// Channels that stems of a track have: mono stays mono, everything else becomes stereo.
inline int StemChannels(int source_channels) { return source_channels == 1 ? 1 : 2; }

// Turns a wish into the one form that says the same with nothing left open, so that equal outputs
// are asked for in equal words. INVALID_ARGUMENT (UNSUPPORTED_OUTPUT), saying what can be had, for
// what the container does not have, or not for this source.
absl::StatusOr<OutputFormat> ResolveOutput(OutputFormat wanted, const OutputSource& source);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_FORMAT_H_
