// What the splitter hears from its decoder: whatever a child says that a file has taken over, the
// parent gives sound frames or a refusal that is fit for a user.
#include <string>

#include "services/common/base/status.h"
#include "services/common/base/utf8.h"
#include "services/common/decode/sandboxed_decoder.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/read_to_end.h"

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
  const absl::Status end =
      decoder.ok() ? unbraid::fuzz::ReadToEnd(decoder->get(), kBlockFrames) : decoder.status();
  if (!end.ok()) CheckRefusal(end);
  return 0;
}
