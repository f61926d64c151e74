// The decoder as the child runs it, with every container and every library that it knows, on a file
// in memory.
extern "C" {
#include <libavutil/mem.h>
}

#include <iostream>
#include <memory>
#include <set>
#include <string>

#include "services/common/audio/decoder.h"
#include "services/common/base/status.h"
#include "services/common/decode/foreign.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/read_to_end.h"

namespace {

using unbraid::audio::DecodeOptions;
using unbraid::audio::Decoder;

// The child has its limits from the system.
constexpr size_t kMaxAllocation = 64 << 20;
constexpr int64_t kBlockFrames = 1024;

void CheckRefusal(const absl::Status& status) {
  static const auto* const reasons = new std::set<std::string>{
      "CORRUPT_AUDIO", "DECODER_LIMIT",     "EMPTY_FILE",    "NON_FINITE_SAMPLE",
      "NO_DECODER",    "UNSUPPORTED_AUDIO", "UNKNOWN_FORMAT"};
  const std::string reason = unbraid::base::ReasonOf(status);
  const bool documented =
      absl::IsInvalidArgument(status) ? reasons->count(reason) == 1 : reason == "TOO_LONG";
  if (!documented) std::cerr << status << std::endl;
  UNBRAID_FUZZ_CHECK(documented);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  av_max_alloc(kMaxAllocation);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const memory = new unbraid::fuzz::MemoryFile;
  static const auto* const foreign =
      new unbraid::audio::ForeignDecoder(unbraid::decode::MakeForeignDecoder());
  memory->Fill(data, size);
  DecodeOptions options;
  options.max_duration = absl::Seconds(1);
  options.silence_non_finite = size % 2 == 0;
  const auto decoder = Decoder::Open(memory->Open(), options, *foreign);
  const absl::Status end =
      decoder.ok() ? unbraid::fuzz::ReadToEnd(decoder->get(), kBlockFrames) : decoder.status();
  if (!end.ok()) CheckRefusal(end);
  return 0;
}
