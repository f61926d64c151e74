// What tells containers apart, and the headers of MPEG audio: any bytes give a container or a
// reason.
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "services/common/audio/mpeg_header.h"
#include "services/common/audio/sniff.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/memory_file.h"

namespace {

using unbraid::audio::FindMpegAudio;
using unbraid::audio::ParseMpegHeader;
using unbraid::store::File;

void CheckSniff(const uint8_t* data, size_t size) {
  static auto* const memory = new unbraid::fuzz::MemoryFile;
  static const auto* const reasons =
      new std::set<std::string>{"EMPTY_FILE", "NO_DECODER", "UNKNOWN_FORMAT"};
  memory->Fill(data, size);
  const File file = memory->Open();
  const absl::StatusOr<unbraid::audio::Sniffed> sniffed = unbraid::audio::SniffFile(file);
  UNBRAID_FUZZ_CHECK(sniffed.ok() ? !sniffed->container.empty()
                                  : reasons->count(unbraid::base::ReasonOf(sniffed.status())) == 1);
  if (!sniffed.ok()) return;
  UNBRAID_FUZZ_CHECK(sniffed->begin >= 0 && sniffed->begin <= static_cast<int64_t>(size));
}

void CheckMpeg(absl::string_view bytes) {
  for (const bool whole : {false, true}) {
    const std::optional<size_t> at = FindMpegAudio(bytes, whole);
    if (!at.has_value()) continue;
    UNBRAID_FUZZ_CHECK(*at < bytes.size());
    UNBRAID_FUZZ_CHECK(ParseMpegHeader(bytes.substr(*at)).has_value());
    (void)unbraid::audio::TellsMpegLength(bytes.substr(*at));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  CheckSniff(data, size);
  CheckMpeg(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
