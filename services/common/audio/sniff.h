#ifndef UNBRAID_SERVICES_COMMON_AUDIO_SNIFF_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_SNIFF_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unbraid::audio {

// The beginning of a file, as far as it is needed to tell what it is.
struct FileHead {
  std::string bytes;
  // What follows an ID3v2 tag and its padding; the same as `bytes` where there is no tag.
  std::string after_tag;
  // `after_tag` reaches to the end of the file.
  bool whole = false;
};

absl::StatusOr<FileHead> ReadFileHead(const std::string& path);

// Which container a file is, by its first bytes and never by its name: one of WAV, RF64, W64, AIFF,
// CAF, AU, FLAC, OGG, MP3. Errors, all INVALID_ARGUMENT: EMPTY_FILE; NO_DECODER (known, but not
// decodable here: the sentence names it); UNKNOWN_FORMAT.
absl::StatusOr<std::string> SniffFile(const std::string& path);

// The same for a beginning at hand.
absl::StatusOr<std::string> SniffHead(const FileHead& head);

// Length of the ID3v2 tag at the start of `head`, or 0.
int64_t Id3TagBytes(absl::string_view head);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_SNIFF_H_
