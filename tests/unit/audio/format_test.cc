#include "services/common/audio/format.h"

#include <catch2/catch.hpp>

#include "services/common/base/status.h"
#include "unbraid/v1/track.pb.h"

namespace unbraid::audio {
namespace {

using F = SampleFormat;

F Resolved(OutputContainer container, F wanted, F source) {
  return ResolveOutput({container, wanted}, source).value().sample_format;
}

TEST_CASE("Case 10: without a wish the depth is the source's where the container has it") {
  constexpr auto kWav = OutputContainer::kWav;
  constexpr auto kFlac = OutputContainer::kFlac;
  CHECK(Resolved(kWav, F::kSource, F::kU8) == F::kS16);
  CHECK(Resolved(kWav, F::kSource, F::kS16) == F::kS16);
  CHECK(Resolved(kWav, F::kSource, F::kS24) == F::kS24);
  CHECK(Resolved(kWav, F::kSource, F::kS32) == F::kF32);
  CHECK(Resolved(kWav, F::kSource, F::kF32) == F::kF32);
  CHECK(Resolved(kWav, F::kSource, F::kF64) == F::kF32);
  CHECK(Resolved(kFlac, F::kSource, F::kU8) == F::kS16);
  CHECK(Resolved(kFlac, F::kSource, F::kS16) == F::kS16);
  for (F source : {F::kS24, F::kS32, F::kF32, F::kF64}) {
    CHECK(Resolved(kFlac, F::kSource, source) == F::kS24);
  }
}

TEST_CASE("an explicit depth is kept, whatever the source is") {
  for (F source : {F::kU8, F::kS16, F::kF64}) {
    CHECK(Resolved(OutputContainer::kWav, F::kF32, source) == F::kF32);
    CHECK(Resolved(OutputContainer::kWav, F::kS24, source) == F::kS24);
    CHECK(Resolved(OutputContainer::kFlac, F::kS16, source) == F::kS16);
  }
}

TEST_CASE("a depth that the container does not have is refused with advice") {
  const absl::Status flac = ResolveOutput({OutputContainer::kFlac, F::kF32}, F::kS16).status();
  CHECK(flac.code() == absl::StatusCode::kInvalidArgument);
  CHECK(base::ReasonOf(flac) == "UNSUPPORTED_OUTPUT");
  CHECK(flac.message() == "FLAC holds no floating-point samples; ask for S24, or for WAV.");
  for (F wanted : {F::kU8, F::kS32, F::kF64}) {
    const absl::Status status = ResolveOutput({OutputContainer::kWav, wanted}, F::kS16).status();
    CHECK(base::ReasonOf(status) == "UNSUPPORTED_OUTPUT");
    CHECK(status.message() == "Outputs can be SOURCE, S16, S24 or F32.");
  }
}

TEST_CASE("integer formats have bits and floats have none") {
  CHECK(IntegerBits(F::kU8) == 8);
  CHECK(IntegerBits(F::kS16) == 16);
  CHECK(IntegerBits(F::kS24) == 24);
  CHECK(IntegerBits(F::kS32) == 32);
  CHECK(IntegerBits(F::kF32) == 0);
  CHECK(IntegerBits(F::kSource) == 0);
}

TEST_CASE("the numbers of the formats are those of the API") {
  CHECK(static_cast<int>(F::kSource) == v1::SAMPLE_FORMAT_SOURCE);
  CHECK(static_cast<int>(F::kU8) == v1::SAMPLE_FORMAT_U8);
  CHECK(static_cast<int>(F::kS16) == v1::SAMPLE_FORMAT_S16);
  CHECK(static_cast<int>(F::kS24) == v1::SAMPLE_FORMAT_S24);
  CHECK(static_cast<int>(F::kS32) == v1::SAMPLE_FORMAT_S32);
  CHECK(static_cast<int>(F::kF32) == v1::SAMPLE_FORMAT_F32);
  CHECK(static_cast<int>(F::kF64) == v1::SAMPLE_FORMAT_F64);
}

TEST_CASE("mono stays mono, everything else becomes stereo") {
  CHECK(StemChannels(1) == 1);
  for (int channels : {2, 3, 6, 8}) CHECK(StemChannels(channels) == 2);
  CHECK(OutputFormat{OutputContainer::kFlac, F::kS16}.Extension() == "flac");
  CHECK(OutputFormat{OutputContainer::kWav, F::kS16}.Extension() == "wav");
}

}  // namespace
}  // namespace unbraid::audio
