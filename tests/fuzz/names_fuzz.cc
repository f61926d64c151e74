// What a client writes as text: resource names, page tokens, labels; objects, that messages name;
// and addresses from flags. What is taken has one spelling.
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "services/common/base/host_port.h"
#include "services/common/base/ids.h"
#include "services/common/base/status.h"
#include "services/common/store/object_folder.h"
#include "services/splitter/paging.h"
#include "tests/fuzz/check.h"

namespace {

using unbraid::base::ReasonOf;

void CheckNames(absl::string_view text) {
  const auto track = unbraid::base::ParseTrackName(text);
  UNBRAID_FUZZ_CHECK(track.ok() ? unbraid::base::TrackName(*track) == text
                                : ReasonOf(track.status()) == "INVALID_NAME");
  const auto separation = unbraid::base::ParseSeparationName(text);
  UNBRAID_FUZZ_CHECK(separation.ok() ? unbraid::base::SeparationName(*separation) == text
                                     : ReasonOf(separation.status()) == "INVALID_NAME");
  const auto stem = unbraid::base::ParseStemName(text);
  UNBRAID_FUZZ_CHECK(stem.ok() ? unbraid::base::StemName(stem->separation, stem->stem) == text
                               : ReasonOf(stem.status()) == "INVALID_NAME");
}

void CheckToken(absl::string_view text) {
  const auto position = unbraid::splitter::DecodePageToken(text);
  if (!position.ok()) {
    UNBRAID_FUZZ_CHECK(ReasonOf(position.status()) == "INVALID_PAGE_TOKEN");
    return;
  }
  const auto again =
      unbraid::splitter::DecodePageToken(unbraid::splitter::EncodePageToken(*position));
  UNBRAID_FUZZ_CHECK(again.ok() && *again == *position && *position > 0);
}

// A message names an object; whatever it says, nothing outside the folder is looked at.
void CheckObject(const std::string& text) {
  static const auto folder = unbraid::store::ObjectFolder::Open(
      (std::filesystem::temp_directory_path() / "unbraid-fuzz-objects").string());
  UNBRAID_FUZZ_CHECK(folder.ok());
  std::string bytes;
  const bool is_name = !absl::IsInvalidArgument(folder->Read(text, 0, &bytes));
  const std::vector<std::string> words = absl::StrSplit(text, '/');
  UNBRAID_FUZZ_CHECK(!is_name || (words.size() == 3 && words[0].rfind("folder:", 0) == 0 &&
                                  words[0].size() > 7 && words[0][7] != '.' &&
                                  words[1].find_first_not_of('.') == 0 &&
                                  words[2].find_first_not_of('.') == 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  CheckNames(text);
  CheckToken(text);
  CheckObject(text);
  (void)unbraid::base::ParseHostPort(text);
  return 0;
}
