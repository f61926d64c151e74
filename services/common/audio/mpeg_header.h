#ifndef UNBRAID_SERVICES_COMMON_AUDIO_MPEG_HEADER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_MPEG_HEADER_H_

#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"

namespace unbraid::audio {

// The header of one frame of MPEG audio.
struct MpegHeader {
  int version = 0;   // the two bits of the stream: 3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5
  int layer = 0;     // 1, 2 or 3
  int rate_hz = 0;   // frames of a stream may differ in bit rate, never in this
  size_t bytes = 0;  // of the whole frame
  bool mono = false;

  bool Fits(const MpegHeader& other) const {
    return version == other.version && layer == other.layer && rate_hz == other.rate_hz;
  }
};

// The header that `bytes` begin with. None for reserved values and for the free format, whose
// frames do not tell their length.
std::optional<MpegHeader> ParseMpegHeader(absl::string_view bytes);

// Where MPEG audio begins in the first bytes of a file. Two frames in a row count at the beginning,
// three further on, since recordings of broadcasts begin in the middle of a frame; one of layer III
// is enough when it is all there is (`whole`: `head` is the whole file).
std::optional<size_t> FindMpegAudio(absl::string_view head, bool whole);

// Whether the frame that `bytes` begin with is a Xing, Info or VBRI header with the number of
// frames to come.
bool TellsMpegLength(absl::string_view bytes);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_MPEG_HEADER_H_
