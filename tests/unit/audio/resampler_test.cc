#include "services/common/audio/resampler.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <utility>
#include <vector>

#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

std::vector<float> Resample(const std::vector<float>& in, int in_rate, int out_rate, int channels,
                            int64_t out_frames, int64_t block_frames = 4096) {
  auto resampler = Resampler::Create(in_rate, out_rate, channels, out_frames).value();
  const auto frames = static_cast<int64_t>(in.size()) / channels;
  std::vector<float> out;
  for (int64_t at = 0; at < frames; at += block_frames) {
    const int64_t count = std::min(block_frames, frames - at);
    REQUIRE(resampler->Process(in.data() + at * channels, count, &out).ok());
  }
  REQUIRE(resampler->Finish(&out).ok());
  return out;
}

// Level of a - b in decibels relative to a full-scale sine, without `edge` frames at both ends,
// where the signal is switched on and off.
double ErrorDb(const std::vector<float>& a, const std::vector<float>& b, size_t edge) {
  REQUIRE(a.size() == b.size());
  double energy = 0;
  for (size_t i = edge; i + edge < a.size(); ++i) {
    energy += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
  }
  return 10 * std::log10(energy / static_cast<double>(a.size() - 2 * edge) / 0.5 + 1e-30);
}

TEST_CASE("lengths are rounded up, so that no frame is lost") {
  CHECK(ResampledFrames(0, 48'000, 44'100) == 0);
  CHECK(ResampledFrames(1, 192'000, 44'100) == 1);
  CHECK(ResampledFrames(160, 48'000, 44'100) == 147);
  CHECK(ResampledFrames(161, 48'000, 44'100) == 148);
  CHECK(ResampledFrames(5, 44'100, 44'100) == 5);
  CHECK(ResampledFrames(int64_t{192'000} * 86'400, 192'000, 44'100) == int64_t{44'100} * 86'400);
}

TEST_CASE("equal rates copy bit for bit") {
  const std::vector<float> in = Noise(2 * 10'001);
  CHECK(Difference(Resample(in, 44'100, 44'100, 2, 10'001), in) == "");
}

TEST_CASE(
    "Cases 2, 4: there and back gives exactly the frames that came, at every rate and length") {
  for (int rate :
       {8'000, 11'025, 16'000, 22'050, 32'000, 44'056, 48'000, 88'200, 96'000, 192'000}) {
    for (int64_t frames : {1, 2, 7, 100, 1023, 16'385, 50'001}) {
      CAPTURE(rate, frames);
      const std::vector<float> in = Noise(frames);
      const int64_t model_frames = ResampledFrames(frames, rate, 44'100);
      const std::vector<float> there = Resample(in, rate, 44'100, 1, model_frames);
      REQUIRE(static_cast<int64_t>(there.size()) == model_frames);
      const std::vector<float> back = Resample(there, 44'100, rate, 1, frames);
      CHECK(back.size() == in.size());
    }
  }
}

TEST_CASE("Cases 2, 3: a sine comes through in place, 100 dB and better") {
  for (const auto& [rate, frequency] : std::vector<std::pair<int, double>>{
           {48'000, 997.0}, {96'000, 997.0}, {192'000, 5'001.0}, {22'050, 997.0}, {8'000, 440.0}}) {
    CAPTURE(rate, frequency);
    const int64_t frames = rate;
    const std::vector<float> in = Sine(frames, 1, frequency, rate, 1.0);
    const int64_t model_frames = ResampledFrames(frames, rate, 44'100);
    const std::vector<float> there = Resample(in, rate, 44'100, 1, model_frames);
    CHECK(ErrorDb(there, Sine(model_frames, 1, frequency, 44'100, 1.0), 2'000) < -100);
    const std::vector<float> back = Resample(there, 44'100, rate, 1, frames);
    CHECK(ErrorDb(back, in, static_cast<size_t>(rate) / 16) < -100);
  }
}

// A sine that swells from nothing within a tenth of a second.
std::vector<float> Swelling(int64_t frames, double frequency, int rate) {
  constexpr double kPi = 3.14159265358979323846;
  std::vector<float> samples = Sine(frames, 1, frequency, rate, 1.0);
  const int64_t rise = rate / 10;
  for (int64_t i = 0; i < std::min(rise, frames); ++i) {
    const double phase = kPi * static_cast<double>(i) / static_cast<double>(rise);
    samples[static_cast<size_t>(i)] *= static_cast<float>(0.5 - 0.5 * std::cos(phase));
  }
  return samples;
}

TEST_CASE("Case 3: the first frames are those of the song, without a click or a gap before them") {
  for (int rate : {8'000, 22'050, 48'000, 96'000, 192'000}) {
    CAPTURE(rate);
    const int64_t model_frames = 44'100 / 4;
    const std::vector<float> in = Swelling(rate / 4, 440.0, rate);
    std::vector<float> there = Resample(in, rate, 44'100, 1, model_frames);
    std::vector<float> back = Resample(there, 44'100, rate, 1, rate / 4);
    std::vector<float> wanted = Swelling(model_frames, 440.0, 44'100);
    std::vector<float> begin(in.begin(), in.begin() + rate / 20);
    back.resize(begin.size());
    there.resize(44'100 / 20);
    wanted.resize(there.size());
    CHECK(ErrorDb(there, wanted, 0) < -90);
    CHECK(ErrorDb(back, begin, 0) < -90);
    CHECK(std::abs(back[0]) < 1e-4F);
  }
}

TEST_CASE("what is above half the new rate goes, and does not fold back") {
  const std::vector<float> in = Sine(96'000, 1, 30'000.0, 96'000, 1.0);
  const std::vector<float> out = Resample(in, 96'000, 44'100, 1, 44'100);
  CHECK(ErrorDb(out, std::vector<float>(out.size()), 2'000) < -100);
}

TEST_CASE("Case 26: the size of the blocks changes no bit") {
  const std::vector<float> in = Noise(2 * 30'000);
  const std::vector<float> whole = Resample(in, 48'000, 44'100, 2, 27'563, 30'000);
  for (int64_t block : {1, 97, 4096}) {
    CAPTURE(block);
    CHECK(Difference(Resample(in, 48'000, 44'100, 2, 27'563, block), whole) == "");
  }
}

TEST_CASE("channels do not leak into each other") {
  std::vector<float> in = Noise(2 * 20'000);
  for (size_t i = 1; i < in.size(); i += 2) in[i] = 0;
  const std::vector<float> out = Resample(in, 48'000, 44'100, 2, 18'375);
  for (size_t i = 1; i < out.size(); i += 2) REQUIRE(out[i] == 0.0F);
}

TEST_CASE("input that does not fit the promised length is an error, not silence") {
  for (int in_rate : {44'100, 48'000}) {
    for (int64_t promised : {9'000, 12'000}) {
      CAPTURE(in_rate, promised);
      auto resampler = Resampler::Create(in_rate, 44'100, 1, promised).value();
      const std::vector<float> in = Noise(in_rate / 4);
      std::vector<float> out;
      REQUIRE(resampler->Process(in.data(), in_rate / 4, &out).ok());
      const absl::Status status = resampler->Finish(&out);
      CHECK(status.code() == absl::StatusCode::kInternal);
      CHECK(std::string(status.message()).find("frames shorter than") != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace unbraid::audio
