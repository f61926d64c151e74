// What the splitter hears from its decoder: whatever a child says that a file has taken over, the
// parent gives sound frames or a refusal that is fit for a user.
#include <string>
#include <vector>

#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"
#include "services/common/base/utf8.h"
#include "services/common/decode/sandboxed_decoder.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/memory_file.h"

namespace {

using unbraid::decode::SandboxedDecoder;

constexpr int64_t kBlockFrames = 100;
constexpr size_t kLongestMessage = 1024;

void CheckRefusal(const absl::Status& status) {
  UNBRAID_FUZZ_CHECK(!status.message().empty() && status.message().size() <= kLongestMessage);
  UNBRAID_FUZZ_CHECK(unbraid::base::IsUtf8(std::string(status.message())));
  if (absl::IsInternal(status) || absl::IsUnavailable(status)) return;
  UNBRAID_FUZZ_CHECK(absl::IsInvalidArgument(status) || absl::IsResourceExhausted(status));
  const std::string reason = unbraid::base::ReasonOf(status);
  UNBRAID_FUZZ_CHECK(!reason.empty() && reason.size() <= 32);
  for (const char c : reason) UNBRAID_FUZZ_CHECK((c >= 'A' && c <= 'Z') || c == '_');
}

void ReadToEnd(SandboxedDecoder* decoder) {
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
    UNBRAID_FUZZ_CHECK(decoder->silenced_samples() >= 0);
    if (*got == 0) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const memory = new unbraid::fuzz::MemoryFile;
  memory->Fill(data, size);
  unbraid::decode::SandboxOptions sandbox;
  sandbox.program = UNBRAID_FUZZ_PUPPET;
  sandbox.patience = absl::Seconds(5);
  unbraid::audio::DecodeOptions options;
  options.max_duration = absl::Seconds(60);
  const auto decoder = SandboxedDecoder::Open(memory->path(), options, sandbox);
  if (!decoder.ok()) {
    CheckRefusal(decoder.status());
  } else {
    ReadToEnd(decoder->get());
  }
  return 0;
}
