#ifndef UNBRAID_SERVICES_COMMON_AUDIO_OGG_PAGES_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_OGG_PAGES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/common/store/files.h"

namespace unbraid::audio {

// The codec inside an Ogg file that libsndfile does not decode, with its article; "" for Vorbis,
// Opus and what is not known.
std::string ForeignInOgg(absl::string_view head);

// Walks over the pages of an Ogg file, whose number grows with the file, but reads their headers
// only. CORRUPT_AUDIO when the file ends within a page; UNSUPPORTED_AUDIO when several streams
// follow each other, of which libsndfile would decode the first and say nothing of the others.
absl::Status CheckOggPages(const store::File& file);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_OGG_PAGES_H_
