#include "services/common/audio/downmix.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

using S = Speaker;
constexpr float kMinus3Db = 0.70710678F;

// What one sample of 1.0 in channel `channel` becomes.
std::vector<float> OfChannel(const std::vector<Speaker>& speakers, size_t channel) {
  std::vector<float> frame(speakers.size());
  frame[channel] = 1.0F;
  std::vector<float> out;
  Downmix(speakers).Process(frame.data(), 1, &out);
  return out;
}

TEST_CASE("one and two channels pass through bit for bit") {
  for (int channels : {1, 2}) {
    const Downmix downmix(UsualSpeakers(channels));
    CHECK(downmix.out_channels() == channels);
    const std::vector<float> in = Noise(1000 * channels);
    std::vector<float> out = {9.0F};
    downmix.Process(in.data(), 1000, &out);
    REQUIRE(out.size() == in.size() + 1);
    CHECK(Difference(std::vector<float>(out.begin() + 1, out.end()), in) == "");
  }
}

TEST_CASE("Case 11: in 5.1 the centre goes to both sides, surrounds to theirs, LFE nowhere") {
  const std::vector<Speaker> speakers = UsualSpeakers(6);
  CHECK(Downmix(speakers).out_channels() == 2);
  CHECK(OfChannel(speakers, 0) == std::vector<float>{1, 0});
  CHECK(OfChannel(speakers, 1) == std::vector<float>{0, 1});
  CHECK(OfChannel(speakers, 2) == std::vector<float>{kMinus3Db, kMinus3Db});
  CHECK(OfChannel(speakers, 3) == std::vector<float>{0, 0});
  CHECK(OfChannel(speakers, 4) == std::vector<float>{kMinus3Db, 0});
  CHECK(OfChannel(speakers, 5) == std::vector<float>{0, kMinus3Db});
}

TEST_CASE("a rear centre is half as loud on both sides") {
  const std::vector<float> out = OfChannel({S::kLeft, S::kRight, S::kSurroundCentre}, 2);
  CHECK(out[0] == Approx(0.5F));
  CHECK(out[1] == out[0]);
}

TEST_CASE("every usual layout has a speaker for every channel, and both sides hear something") {
  for (int channels = 1; channels <= 8; ++channels) {
    const std::vector<Speaker> speakers = UsualSpeakers(channels);
    REQUIRE(static_cast<int>(speakers.size()) == channels);
    const std::vector<float> ones(static_cast<size_t>(channels), 0.1F);
    std::vector<float> out;
    Downmix(speakers).Process(ones.data(), 1, &out);
    for (float side : out) CHECK(side >= 0.1F);
    if (out.size() == 2) CHECK(out[0] == Approx(out[1]));
  }
}

TEST_CASE("frames are mixed one by one, in order") {
  const std::vector<float> in = {1, 2, 10, 3, 4, 20};
  std::vector<float> out;
  Downmix(UsualSpeakers(3)).Process(in.data(), 2, &out);
  REQUIRE(out.size() == 4);
  CHECK(out[0] == Approx(1 + 7.0710678));
  CHECK(out[3] == Approx(4 + 14.1421356));
}

}  // namespace
}  // namespace unbraid::audio
