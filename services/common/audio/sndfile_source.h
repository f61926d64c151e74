#ifndef UNBRAID_SERVICES_COMMON_AUDIO_SNDFILE_SOURCE_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_SNDFILE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "services/common/audio/frame_source.h"

namespace unbraid::audio {

// Decodes everything but MPEG audio with libsndfile. `lost_length_at` is where a WAV file's length
// stands that must be taken as "to the end of the file" (see WavHeader).
absl::StatusOr<std::unique_ptr<FrameSource>> OpenWithSndfile(SourceFile file,
                                                             const std::string& container,
                                                             std::optional<int64_t> lost_length_at);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_SNDFILE_SOURCE_H_
