// What the assembler takes from its queue: any body gives a sound result, a named failure or an
// error.
//
// The bytes are taken twice: as a body, and as the values of the fields of one, since mutations of
// a body seldom get past its lengths and never past its checksum.
#include <fuzzer/FuzzedDataProvider.h>

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

std::string BodyOf(FuzzedDataProvider values) {
  unbraid::internal::v1::ChunkResult message;
  message.set_chunk_index(values.ConsumeIntegral<int64_t>());
  message.set_compute_seconds(values.ConsumeFloatingPoint<double>());
  auto* const stem = message.mutable_stem();
  stem->set_stem_index(values.ConsumeIntegral<int32_t>());
  stem->set_channels(values.ConsumeBool() ? values.ConsumeIntegralInRange(0, 3)
                                          : values.ConsumeIntegral<int32_t>());
  stem->set_frames(values.ConsumeBool() ? values.ConsumeIntegralInRange<int64_t>(0, 8)
                                        : values.ConsumeIntegral<int64_t>());
  if (values.ConsumeBool()) stem->mutable_samples_object()->set_uri("folder:a/b/c");
  stem->set_samples(values.ConsumeRemainingBytesAsString());
  stem->set_samples_crc32c(unbraid::base::Crc32c(stem->samples()));
  return message.SerializeAsString();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Check(std::string(reinterpret_cast<const char*>(data), size));
  Check(BodyOf(FuzzedDataProvider(data, size)));
  return 0;
}
