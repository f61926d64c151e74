#include "services/common/audio/interleave.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

TEST_CASE("planar bytes hold one channel after the other, little-endian") {
  const std::vector<float> samples = {1.0F, -2.0F, 0.5F, 0.0F};
  const std::string bytes = PlanarBytes(samples.data(), 2, 2);
  const auto hex = [&](size_t i) {
    return std::vector<int>{bytes[i] & 0xFF, bytes[i + 1] & 0xFF, bytes[i + 2] & 0xFF,
                            bytes[i + 3] & 0xFF};
  };
  REQUIRE(bytes.size() == 16);
  CHECK(hex(0) == std::vector<int>{0, 0, 0x80, 0x3F});
  CHECK(hex(4) == std::vector<int>{0, 0, 0, 0x3F});
  CHECK(hex(8) == std::vector<int>{0, 0, 0, 0xC0});
}

TEST_CASE("planar bytes and interleaved samples are each other's inverse") {
  for (int channels : {1, 2, 6}) {
    const std::vector<float> samples = Noise(333 * channels);
    const std::string bytes = PlanarBytes(samples.data(), 333, channels);
    CHECK(Difference(InterleavedSamples(bytes, 333, channels).value(), samples) == "");
  }
  CHECK(PlanarBytes(nullptr, 0, 2).empty());
}

TEST_CASE("bytes that are not the frames they claim to be are refused") {
  const absl::Status status = InterleavedSamples("12345", 1, 1).status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(status.message() == "5 bytes are not 1 frames of 1 channels");
  CHECK_FALSE(InterleavedSamples("", -1, 1).ok());
}

TEST_CASE("a number of frames that overflows is not the frames of no bytes") {
  for (const int64_t frames : {int64_t{1} << 60, int64_t{1} << 61, int64_t{1} << 62,
                               std::numeric_limits<int64_t>::max()}) {
    for (const int channels : {1, 2, 8}) {
      const absl::Status status = InterleavedSamples("", frames, channels).status();
      CHECK(status.code() == absl::StatusCode::kInvalidArgument);
      CHECK(status.message() ==
            absl::StrCat("0 bytes are not ", frames, " frames of ", channels, " channels"));
    }
  }
  CHECK_FALSE(InterleavedSamples("", 0, 0).ok());
  CHECK(InterleavedSamples("", 0, 2).value().empty());
}

TEST_CASE("a sample that is no number is seen") {
  std::vector<float> samples = Noise(64);
  CHECK(AllFinite(samples.data(), 64));
  samples[63] = std::numeric_limits<float>::infinity();
  CHECK_FALSE(AllFinite(samples.data(), 64));
  CHECK(AllFinite(samples.data(), 63));
  samples[0] = std::nanf("");
  CHECK_FALSE(AllFinite(samples.data(), 63));
}

}  // namespace
}  // namespace unbraid::audio
