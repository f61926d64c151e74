// What a client writes as text: resource names, page tokens, labels; and addresses from flags. What
// is taken has one spelling.
#include <string>

#include "absl/strings/string_view.h"
#include "services/common/base/host_port.h"
#include "services/common/base/ids.h"
#include "services/common/base/status.h"
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  CheckNames(text);
  CheckToken(text);
  (void)unbraid::base::ParseHostPort(text);
  return 0;
}
