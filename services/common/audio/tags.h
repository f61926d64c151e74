#ifndef UNBRAID_SERVICES_COMMON_AUDIO_TAGS_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_TAGS_H_

#include <string>
#include <utility>
#include <vector>

namespace unbraid::audio {

// What an output says about itself. All UTF-8; empty where there is nothing to say.
struct OutputTags {
  std::string title;  // of the track
  std::string artist;
  std::string album;
  std::string stem;
};

// Names and values as Vorbis comments have them, in a fixed order: TITLE "<title> (<stem>)", or
// "<stem>" without a title; ARTIST; ALBUM; COMMENT "stem: <stem>". Those that are empty are left
// out; without a stem there is no COMMENT, and the title stands alone.
std::vector<std::pair<std::string, std::string>> TagFields(const OutputTags& tags);

// The same as an ID3v2.4 tag, in UTF-8: what an MP3 file begins with. "" where there is no field.
std::string Id3Tag(const OutputTags& tags);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_TAGS_H_
