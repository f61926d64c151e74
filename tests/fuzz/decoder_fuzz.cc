// The decoder as the child runs it, with every container and every library that it knows, on a file
// in memory.
extern "C" {
#include <libavutil/mem.h>
}

#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "services/common/audio/decoder.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"
#include "services/common/decode/foreign.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/memory_file.h"

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

void ReadToEnd(Decoder* decoder) {
  const auto channels = static_cast<int64_t>(decoder->format().channels);
  UNBRAID_FUZZ_CHECK(channels >= 1 && channels <= 8);
  UNBRAID_FUZZ_CHECK(decoder->speakers().size() == static_cast<size_t>(channels));
  std::vector<float> block(static_cast<size_t>(kBlockFrames * channels));
  for (int64_t position = 0;;) {
    const absl::StatusOr<int64_t> got = decoder->Read(block.data(), kBlockFrames);
    if (!got.ok()) return CheckRefusal(got.status());
    UNBRAID_FUZZ_CHECK(*got >= 0 && *got <= kBlockFrames);
    UNBRAID_FUZZ_CHECK(unbraid::audio::AllFinite(block.data(), *got * channels));
    position += *got;
    UNBRAID_FUZZ_CHECK(decoder->position() == position);
    if (*got == 0) return;
  }
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
  if (!decoder.ok()) {
    CheckRefusal(decoder.status());
  } else {
    ReadToEnd(decoder->get());
  }
  return 0;
}
