#include "services/common/audio/tags.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace unbraid::audio {
namespace {

constexpr char kUtf8 = 3;

// Four bytes of seven bits, so that no length looks like the beginning of MPEG audio.
std::string SyncSafe(size_t value) {
  constexpr int kBits = 7;
  constexpr size_t kMask = 0x7F;
  std::string bytes;
  for (int shift = 3 * kBits; shift >= 0; shift -= kBits) {
    bytes.push_back(static_cast<char>((value >> static_cast<unsigned>(shift)) & kMask));
  }
  return bytes;
}

std::string Id3Frame(const std::string& name, const std::string& value) {
  std::string id = "COMM";
  if (name == "TITLE") id = "TIT2";
  if (name == "ARTIST") id = "TPE1";
  if (name == "ALBUM") id = "TALB";
  std::string body(1, kUtf8);
  // A comment has a language, here none in particular, and a description, here empty.
  if (id == "COMM") body.append("XXX").push_back('\0');
  body += value;
  constexpr size_t kFlagBytes = 2;
  return absl::StrCat(id, SyncSafe(body.size()), std::string(kFlagBytes, '\0'), body);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> TagFields(const OutputTags& tags) {
  std::string title = tags.title.empty() ? tags.stem : tags.title;
  if (!tags.title.empty() && !tags.stem.empty()) absl::StrAppend(&title, " (", tags.stem, ")");
  const std::string comment = tags.stem.empty() ? "" : absl::StrCat("stem: ", tags.stem);
  std::vector<std::pair<std::string, std::string>> fields;
  for (auto& field : {std::pair<std::string, std::string>{"TITLE", title},
                      {"ARTIST", tags.artist},
                      {"ALBUM", tags.album},
                      {"COMMENT", comment}}) {
    if (!field.second.empty()) fields.push_back(field);
  }
  return fields;
}

std::string Id3Tag(const OutputTags& tags) {
  std::string frames;
  for (const auto& [name, value] : TagFields(tags)) frames += Id3Frame(name, value);
  if (frames.empty()) return "";
  // Version 4.0, no flags.
  return absl::StrCat("ID3", std::string("\x04\0\0", 3), SyncSafe(frames.size()), frames);
}

}  // namespace unbraid::audio
