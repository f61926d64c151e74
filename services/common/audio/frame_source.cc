#include "services/common/audio/frame_source.h"

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/base/utf8.h"

namespace unbraid::audio {

std::string CleanTag(const char* text) {
  return text == nullptr ? "" : base::ToLabel(text, kMaxTagBytes);
}

absl::Status CorruptAudio(absl::string_view sentence) {
  return base::Error(absl::StatusCode::kInvalidArgument, "CORRUPT_AUDIO",
                     absl::StrCat(sentence, " Get another copy of the file."));
}

absl::Status NoDecoder(absl::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, "NO_DECODER",
                     absl::StrCat("This is ", what,
                                  ", which cannot be decoded here. Convert it to WAV, FLAC, AIFF, "
                                  "Ogg or MP3 first."));
}

}  // namespace unbraid::audio
