// What the assembler takes from its queue: any body gives a sound result, a named failure or an
// error.
//
// A body is tried twice: as it is, and with its checksum put right, since no fuzzer guesses that.
#include <string>

#include "services/assembler/result_intake.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/crc32c.h"
#include "tests/fuzz/check.h"
#include "unbraid/internal/v1/work.pb.h"

namespace {

void Check(const std::string& body) {
  const auto result = unbraid::assembler::ParseResult(body);
  if (!result.ok()) {
    UNBRAID_FUZZ_CHECK(absl::IsInvalidArgument(result.status()));
    return;
  }
  UNBRAID_FUZZ_CHECK(result->compute_seconds >= 0);
  if (result->failed()) {
    UNBRAID_FUZZ_CHECK(result->samples.empty());
    return;
  }
  UNBRAID_FUZZ_CHECK(result->channels == 1 || result->channels == 2);
  UNBRAID_FUZZ_CHECK(result->samples.size() ==
                     static_cast<size_t>(result->frames * result->channels));
  UNBRAID_FUZZ_CHECK(unbraid::audio::AllFinite(result->samples.data(),
                                               static_cast<int64_t>(result->samples.size())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  Check(body);
  unbraid::internal::v1::ChunkResult message;
  if (!message.ParseFromString(body) || !message.has_stem()) return 0;
  message.mutable_stem()->set_samples_crc32c(unbraid::base::Crc32c(message.stem().samples()));
  Check(message.SerializeAsString());
  return 0;
}
