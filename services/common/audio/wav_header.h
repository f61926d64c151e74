#ifndef UNBRAID_SERVICES_COMMON_AUDIO_WAV_HEADER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_WAV_HEADER_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "services/common/store/files.h"

namespace unbraid::audio {

// What has to be known of a RIFF WAV file before libsndfile opens it.
struct WavHeader {
  // wFormatTag, that of the sub-format for WAVE_FORMAT_EXTENSIBLE; 0 when there is no fmt chunk.
  int format_tag = 0;

  // Where the length of the data chunk stands, if it is 0 although audio follows: the recorder was
  // cut off before it wrote the length. libsndfile would find no audio.
  std::optional<int64_t> lost_length_at;

  // MPEG audio, which is decoded otherwise.
  bool IsMpeg() const;
  // Whether libsndfile decodes it.
  bool IsDecodable() const;
};

absl::StatusOr<WavHeader> ReadWavHeader(const store::File& file);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_WAV_HEADER_H_
