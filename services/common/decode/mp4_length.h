#ifndef UNBRAID_SERVICES_COMMON_DECODE_MP4_LENGTH_H_
#define UNBRAID_SERVICES_COMMON_DECODE_MP4_LENGTH_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace unbraid::decode {

// What an MP4 file says about the length of its audio, in frames.
struct Mp4Lengths {
  int64_t edited = 0;   // by its edit list, which often counts milliseconds
  int64_t media = 0;    // of all that its packets hold, priming included
  int64_t priming = 0;  // that is to be dropped at the start
  int64_t tick = 0;     // the most that rounding can have taken from `edited`
};

// The exact number of frames: the media without its priming where that agrees with the edit list to
// a tick, and the edit list where somebody has really cut the song. Pure.
int64_t ExactMp4Frames(const Mp4Lengths& lengths);

// The length that iTunes writes into its tag `iTunSMPB`: a row of hexadecimal numbers, of which the
// fourth is the number of frames. Anybody can write a tag, and editors of files copy old ones: it
// counts only where the media without its priming is as long, or up to a few packets of padding
// longer. Pure.
std::optional<int64_t> FramesOfItunesTag(absl::string_view tag, const Mp4Lengths& lengths);

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_MP4_LENGTH_H_
