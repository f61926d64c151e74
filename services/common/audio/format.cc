#include "services/common/audio/format.h"

#include <algorithm>

namespace unbraid::audio {
namespace {

constexpr int kOpusRateHz = 48'000;

}  // namespace

int IntegerBits(SampleFormat format) {
  switch (format) {
    case SampleFormat::kU8:
      return 8;
    case SampleFormat::kS16:
      return 16;
    case SampleFormat::kS24:
      return 24;
    case SampleFormat::kS32:
      return 32;
    default:
      return 0;
  }
}

bool OutputFormat::IsLossy() const {
  return container == OutputContainer::kOggVorbis || container == OutputContainer::kOggOpus ||
         container == OutputContainer::kMp3;
}

std::string OutputFormat::Extension() const {
  switch (container) {
    case OutputContainer::kFlac:
      return "flac";
    case OutputContainer::kAiff:
      return "aiff";
    case OutputContainer::kOggVorbis:
      return "ogg";
    case OutputContainer::kOggOpus:
      return "opus";
    case OutputContainer::kMp3:
      return "mp3";
    default:
      return "wav";
  }
}

int OutputFormat::RateHz(int track_rate_hz) const {
  return container == OutputContainer::kOggOpus ? kOpusRateHz : track_rate_hz;
}

int64_t OutputFormat::Frames(int64_t track_frames, int track_rate_hz) const {
  const int64_t rate_hz = RateHz(track_rate_hz);
  if (rate_hz == track_rate_hz) return track_frames;
  // To nearest; a file without audio would be none.
  return std::max<int64_t>((track_frames * rate_hz * 2 + track_rate_hz) / (2 * track_rate_hz), 1);
}

}  // namespace unbraid::audio
