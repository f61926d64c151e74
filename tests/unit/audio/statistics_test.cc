#include "services/common/audio/statistics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

TrackStatistics Of(const std::vector<float>& samples, int channels, int64_t block_frames) {
  TrackStatistics statistics(channels);
  const auto frames = static_cast<int64_t>(samples.size()) / channels;
  for (int64_t at = 0; at < frames; at += block_frames) {
    statistics.Add(samples.data() + at * channels, std::min(block_frames, frames - at));
  }
  return statistics;
}

struct Reference {
  double mean = 0;
  double deviation = 0;
};

// Two passes in long double.
Reference TwoPasses(const std::vector<float>& samples, int channels) {
  const auto frames = samples.size() / static_cast<size_t>(channels);
  std::vector<long double> mono(frames);
  for (size_t i = 0; i < samples.size(); ++i) {
    mono[i / static_cast<size_t>(channels)] += static_cast<long double>(samples[i]) / channels;
  }
  long double sum = 0;
  for (long double value : mono) sum += value;
  const long double mean = sum / static_cast<long double>(frames);
  long double squares = 0;
  for (long double value : mono) squares += (value - mean) * (value - mean);
  return {static_cast<double>(mean),
          static_cast<double>(std::sqrt(squares / static_cast<long double>(frames - 1)))};
}

TEST_CASE("mean and deviation are those of the mono mix, with N - 1") {
  for (int channels : {1, 2}) {
    const std::vector<float> noise = Noise(40'000 * channels, 0.7F);
    const Reference reference = TwoPasses(noise, channels);
    const TrackStatistics statistics = Of(noise, channels, 4096);
    CHECK(statistics.mean() == Approx(reference.mean).margin(1e-15));
    CHECK(statistics.deviation() == Approx(reference.deviation).epsilon(1e-12));
    CHECK(statistics.Scale() == statistics.deviation() + 1e-8);
  }
}

TEST_CASE("Case 26: the size of the blocks changes no bit of the statistics") {
  const std::vector<float> noise = Noise(60'000);
  const TrackStatistics whole = Of(noise, 2, 30'000);
  for (int64_t block : {1, 7, 4096, 16'384}) {
    const TrackStatistics parts = Of(noise, 2, block);
    CHECK(parts.mean() == whole.mean());
    CHECK(parts.deviation() == whole.deviation());
    CHECK(parts.rms() == whole.rms());
  }
}

TEST_CASE("Case 16: a DC offset does not spoil the deviation") {
  std::vector<float> samples = Noise(100'000, 1e-3F);
  for (float& sample : samples) sample += 0.9F;
  const Reference reference = TwoPasses(samples, 1);
  CHECK(Of(samples, 1, 4096).deviation() == Approx(reference.deviation).epsilon(1e-9));
}

TEST_CASE("Case 14: silence gives a finite scale") {
  const TrackStatistics statistics = Of(std::vector<float>(20'000), 2, 4096);
  CHECK(statistics.mean() == 0);
  CHECK(statistics.rms() == 0);
  CHECK(statistics.Scale() == 1e-5);
}

TEST_CASE("Case 15: left = -right is scaled by its loudness, not by its silent mono mix") {
  std::vector<float> samples = Noise(20'000);
  for (size_t i = 1; i < samples.size(); i += 2) samples[i] = -samples[i - 1];
  const TrackStatistics statistics = Of(samples, 2, 4096);
  CHECK(statistics.deviation() == 0);
  CHECK(statistics.Scale() == 0.01 * statistics.rms());
  CHECK(statistics.Scale() > 1e-3);
}

TEST_CASE("Case 16: noise at -90 dB is not blown up beyond its own level") {
  const TrackStatistics statistics = Of(Noise(20'000, 3.2e-5F), 2, 4096);
  CHECK(statistics.Scale() >= 1e-5);
  CHECK(statistics.Scale() < 3.2e-5);
}

TEST_CASE("one frame, or none, has no deviation") {
  CHECK(Of({0.5F, 0.25F}, 2, 1).deviation() == 0);
  CHECK(Of({0.5F, 0.25F}, 2, 1).mean() == 0.375);
  const TrackStatistics none(2);
  CHECK(none.rms() == 0);
  CHECK(none.Scale() == 1e-5);
}

}  // namespace
}  // namespace unbraid::audio
