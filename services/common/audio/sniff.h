#ifndef UNBRAID_SERVICES_COMMON_AUDIO_SNIFF_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_SNIFF_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/store/files.h"

namespace unbraid::audio {

// The beginning of a file, as far as it is needed to tell what it is.
struct FileHead {
  std::string bytes;
  // What follows all ID3v2 tags and their padding; the same as `bytes` where there is none.
  std::string after_tag;
  int64_t tag_bytes = 0;  // up to the end of the last tag, by its own word
  int64_t padding = 0;    // zeros between that and `after_tag`
  // There is more than one tag without a footer and padding: not every reader who knows tags passes
  // over it.
  bool odd_tags = false;
  // `after_tag` reaches to the end of the file.
  bool whole = false;
};

absl::StatusOr<FileHead> ReadFileHead(const store::File& file);

// What a file is.
struct Sniffed {
  // The word for it in Track.container, for example "WAV".
  std::string container;
  // Empty for what the decoders of this library read. Otherwise the thing with its article, for a
  // refusal: "an MP4, M4A or QuickTime file (AAC or ALAC)". Another decoder may read it.
  std::string foreign;
  // Where the container begins: behind an ID3v2 tag that its reader would not understand.
  int64_t begin = 0;
};

// Which container a file is, by its first bytes and never by its name. Errors, all
// INVALID_ARGUMENT: EMPTY_FILE; NO_DECODER (known, but no decoder of any kind reads it: the
// sentence names it); UNKNOWN_FORMAT.
absl::StatusOr<Sniffed> SniffFile(const store::File& file);

// The same for a beginning at hand.
absl::StatusOr<Sniffed> SniffHead(const FileHead& head);

// The containers whose Sniffed is never foreign, and those that may or must be.
std::vector<std::string> OwnContainers();
std::vector<std::string> ForeignContainers();

// Length of the ID3v2 tag at the start of `head`, or 0.
int64_t Id3TagBytes(absl::string_view head);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_SNIFF_H_
