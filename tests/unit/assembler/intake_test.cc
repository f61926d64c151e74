#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "services/assembler/result_intake.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/crc32c.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using internal::v1::ChunkResult;

}  // namespace

TEST_CASE("a result's planar samples become interleaved ones") {
  Song song;
  song.sample = [](int64_t, int, int64_t frame, int channel) {
    return static_cast<float>(frame * 2 + channel);
  };
  const Result result = song.Samples(1, 2);
  CHECK_FALSE(result.failed());
  CHECK(result.id == song.separation_id());
  CHECK(result.chunk == 1);
  CHECK(result.stem == 2);
  CHECK(result.channels == 2);
  CHECK(result.frames == 64);
  CHECK(result.worker == "worker-1");
  for (size_t i = 0; i < result.samples.size(); ++i)
    REQUIRE(result.samples[i] == static_cast<float>(i));
}

TEST_CASE("samples that were damaged on the way are a failure of the chunk") {
  ChunkResult message = Song().Message(0, 0);
  (*message.mutable_stem()->mutable_samples())[7] ^= 1;
  const auto result = ParseResult(message.SerializeAsString());
  REQUIRE(result.ok());
  CHECK(result->failure_reason == "BAD_CHECKSUM");
  CHECK(result->samples.empty());
}

TEST_CASE("Case 14: samples that are no numbers are a failure of the chunk") {
  Song song;
  const float odd =
      GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  song.sample = [odd](int64_t, int, int64_t frame, int) { return frame == 3 ? odd : 0.0F; };
  const Result result = song.Samples(0, 0);
  CHECK(result.failure_reason == "NON_FINITE_RESULT");
  CHECK(result.samples.empty());
}

TEST_CASE("samples that do not fill their frames are a failure of the chunk") {
  ChunkResult message = Song().Message(0, 0);
  SECTION("too few frames") { message.mutable_stem()->set_frames(63); }
  SECTION("negative frames") { message.mutable_stem()->set_frames(-1); }
  SECTION("frames whose bytes overflow to none") {
    message.mutable_stem()->set_frames(int64_t{1} << 61);
    message.mutable_stem()->clear_samples();
    message.mutable_stem()->set_samples_crc32c(base::Crc32c(""));
  }
  SECTION("no channels") { message.mutable_stem()->set_channels(0); }
  SECTION("many channels") { message.mutable_stem()->set_channels(1 << 30); }
  const auto result = ParseResult(message.SerializeAsString());
  REQUIRE(result.ok());
  CHECK(result->failure_reason == "BAD_RESULT");
}

TEST_CASE("a failure keeps its reason and its try") {
  ChunkResult message;
  message.set_chunk_index(4);
  message.set_try_(2);
  message.mutable_failure()->set_reason("MODEL_ERROR");
  message.mutable_failure()->set_message("out of memory");
  const auto result = ParseResult(message.SerializeAsString());
  REQUIRE(result.ok());
  CHECK(result->failed());
  CHECK(result->try_number == 2);
  CHECK(result->failure_message == "out of memory");
}

TEST_CASE("what is no result at all is refused") {
  CHECK(absl::IsInvalidArgument(ParseResult("\xff\xff\xff").status()));
  CHECK(absl::IsInvalidArgument(ParseResult("").status()));
  CHECK(absl::IsInvalidArgument(ParseResult(std::string(1000, '\x01')).status()));
}

TEST_CASE("an odd computing time is no time") {
  ChunkResult message = Song().Message(0, 0);
  message.set_compute_seconds(GENERATE(-1.0, std::numeric_limits<double>::quiet_NaN(), 1e300));
  CHECK(ParseResult(message.SerializeAsString())->compute_seconds == 0);
}

}  // namespace unbraid::assembler
