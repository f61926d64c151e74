#ifndef UNBRAID_SERVICES_COMMON_DECODE_FFMPEG_SOURCE_H_
#define UNBRAID_SERVICES_COMMON_DECODE_FFMPEG_SOURCE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/common/audio/frame_source.h"

namespace unbraid::decode {

// Decodes the best audio stream of a file with FFmpeg's libraries; pictures are ignored.
//
// Where the container tells them, priming samples at the start and padding at the end are cut: an
// MP4 file gives exactly the frames that went into its encoder, whether it tells that by its edit
// list, by the length of its media or by iTunes' tag; Matroska by its discard padding. Raw streams
// (ADTS, AC-3, MPEG) tell nothing, and are given as they decode. Matroska and Windows Media that
// were cut off are found out by their times (see PromisedEnd).
absl::StatusOr<std::unique_ptr<audio::FrameSource>> OpenWithFfmpeg(audio::SourceFile file,
                                                                   const std::string& container);

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_FFMPEG_SOURCE_H_
