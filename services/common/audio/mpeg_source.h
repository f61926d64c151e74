#ifndef UNBRAID_SERVICES_COMMON_AUDIO_MPEG_SOURCE_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_MPEG_SOURCE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/common/audio/frame_source.h"

namespace unbraid::audio {

// Decodes MPEG audio with libmpg123 itself. Through libsndfile 1.2.0 a variable bit rate without a
// Xing header loses what lies beyond an estimated length (measured: 59 % of a song), and whatever
// follows the length in a Xing header is lost, too. Here the length is what decoding yields;
// encoder delay and padding are cut where a LAME header names them, so that a song that went
// through LAME comes back at its own length. With a header that tells the length, more than a
// second less is a sign that the file was cut off.
//
// `container` is what the file was found to be: "MP3", or "WAV" around MPEG audio.
absl::StatusOr<std::unique_ptr<FrameSource>> OpenMpeg(SourceFile file,
                                                      const std::string& container);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_MPEG_SOURCE_H_
