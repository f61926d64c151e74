#ifndef UNBRAID_SERVICES_COMMON_AUDIO_SNIFF_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_SNIFF_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unbraid::audio {

// Which container a file is, by its first bytes and never by its name: one of WAV, RF64, W64, AIFF,
// CAF, AU, FLAC, OGG, MP3. Errors, all INVALID_ARGUMENT: EMPTY_FILE; NO_DECODER (known, but not
// decodable here: the sentence names it); UNKNOWN_FORMAT.
absl::StatusOr<std::string> SniffFile(const std::string& path);

// The same for bytes at hand: `head` is the beginning of the file, `after_tag` what follows an
// ID3v2 tag (the same as `head` where there is none).
absl::StatusOr<std::string> SniffBytes(absl::string_view head, absl::string_view after_tag);

// Length of the ID3v2 tag at the start of `head`, or 0.
int64_t Id3TagBytes(absl::string_view head);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_SNIFF_H_
