#include "services/common/audio/format.h"

#include "services/common/base/status.h"

namespace unbraid::audio {

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

absl::StatusOr<OutputFormat> ResolveOutput(OutputFormat wanted, SampleFormat source) {
  const bool flac = wanted.container == OutputContainer::kFlac;
  switch (wanted.sample_format) {
    case SampleFormat::kSource:
      if (source == SampleFormat::kU8 || source == SampleFormat::kS16) {
        wanted.sample_format = SampleFormat::kS16;
      } else if (source == SampleFormat::kS24 || flac) {
        wanted.sample_format = SampleFormat::kS24;
      } else {
        wanted.sample_format = SampleFormat::kF32;
      }
      return wanted;
    case SampleFormat::kS16:
    case SampleFormat::kS24:
      return wanted;
    case SampleFormat::kF32:
      if (!flac) return wanted;
      return base::Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_OUTPUT",
                         "FLAC holds no floating-point samples; ask for S24, or for WAV.");
    default:
      return base::Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_OUTPUT",
                         "Outputs can be SOURCE, S16, S24 or F32.");
  }
}

}  // namespace unbraid::audio
