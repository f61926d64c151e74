#include "services/common/audio/sample_shaper.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

constexpr double kSteps16 = 32'768;

OutputFormat Integers(SampleFormat depth, Dither dither, ClipPolicy clip = ClipPolicy::kGain) {
  OutputFormat format{OutputContainer::kWav, depth, clip};
  format.dither = dither;
  return format;
}

// What comes out of 16 bits, in steps.
std::vector<int> Steps(SampleShaper* shaper, const std::vector<float>& samples, float gain = 1) {
  std::vector<int> steps;
  shaper->ToIntegers(samples.data(), static_cast<int64_t>(samples.size()), gain, &steps);
  for (int& step : steps) step /= 65'536;
  return steps;
}

std::vector<int> Dithered(const std::vector<float>& samples, uint64_t seed = 1) {
  SampleShaper shaper(Integers(SampleFormat::kS16, Dither::kTpdf), seed);
  return Steps(&shaper, samples);
}

double Correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double product = 0;
  double square_a = 0;
  double square_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += a[i] * b[i];
    square_a += a[i] * a[i];
    square_b += b[i] * b[i];
  }
  return product / std::sqrt(square_a * square_b);
}

TEST_CASE("integers are the nearest ones, ties to even, limited to the format's range") {
  const auto depth = GENERATE(SampleFormat::kS16, SampleFormat::kS24, SampleFormat::kS32);
  const double full = std::ldexp(1.0, IntegerBits(depth) - 1);
  std::vector<float> samples = Noise(10'001);
  for (double steps : {0.0, 0.5, 1.5, 2.5, -0.5, -1.5, full - 1.5, full - 1, full - 0.5, full,
                       -full, -full - 0.5, -full - 1, 3 * full, -3 * full, -0.0}) {
    samples.push_back(static_cast<float>(steps / full));
  }
  SampleShaper shaper(Integers(depth, Dither::kNone), 1);
  std::vector<int> integers;
  for (float gain : {1.0F, 0.7F}) {
    shaper.ToIntegers(samples.data(), static_cast<int64_t>(samples.size()), gain, &integers);
    for (size_t i = 0; i < samples.size(); ++i) {
      const double exact = std::nearbyint(static_cast<double>(samples[i]) * gain * full);
      const double within = std::min(std::max(exact, -full), full - 1);
      REQUIRE(integers[i] == static_cast<int>(within) * (1 << (32 - IntegerBits(depth))));
    }
  }
}

TEST_CASE("triangular dither has mean 0, variance 1/6 and a triangle's distribution") {
  constexpr int kCount = 1'000'000;
  const TriangularDither dither(7);
  double sum = 0;
  double squares = 0;
  int inner = 0;
  for (int i = 0; i < kCount; ++i) {
    const double value = dither.At(i);
    REQUIRE(std::abs(value) < 1);
    sum += value;
    squares += value * value;
    inner += std::abs(value) < 0.5 ? 1 : 0;
  }
  CHECK(sum / kCount == Approx(0).margin(0.002));
  CHECK(squares / kCount == Approx(1.0 / 6).epsilon(0.01));
  CHECK(static_cast<double>(inner) / kCount == Approx(0.75).epsilon(0.01));
}

TEST_CASE("dither of one position has nothing to do with that of the next, or of another output") {
  const TriangularDither one(1);
  const TriangularDither two(2);
  std::vector<double> a;
  std::vector<double> next;
  std::vector<double> other;
  for (int i = 0; i < 200'000; ++i) {
    a.push_back(one.At(i));
    next.push_back(one.At(i + 1));
    other.push_back(two.At(i));
  }
  CHECK(std::abs(Correlation(a, next)) < 0.01);
  CHECK(std::abs(Correlation(a, other)) < 0.01);
}

TEST_CASE("with dither the error is as large for every level, and its mean is 0") {
  for (double level : {0.1, 0.25, 0.5, 0.9}) {
    CAPTURE(level);
    constexpr size_t kCount = 400'000;
    const std::vector<float> samples(kCount, static_cast<float>(level / kSteps16));
    double sum = 0;
    double squares = 0;
    for (int step : Dithered(samples)) {
      sum += step - level;
      squares += (step - level) * (step - level);
    }
    // The variance of the dither, 1/6, and that of rounding, 1/12.
    CHECK(sum / kCount == Approx(0).margin(0.005));
    CHECK(squares / kCount == Approx(0.25).epsilon(0.02));
  }
}

TEST_CASE("dither frees the error of a low-level sine from the sine, which rounding does not") {
  const std::vector<float> sine = Sine(200'000, 1, 441, 44'100, 0.45 / kSteps16);
  std::vector<double> signal;
  std::vector<double> rounded_error;
  std::vector<double> dithered_error;
  SampleShaper plain(Integers(SampleFormat::kS16, Dither::kNone), 1);
  const std::vector<int> rounded = Steps(&plain, sine);
  const std::vector<int> dithered = Dithered(sine);
  for (size_t i = 0; i < sine.size(); ++i) {
    signal.push_back(sine[i] * kSteps16);
    rounded_error.push_back(rounded[i] - signal[i]);
    dithered_error.push_back(dithered[i] - signal[i]);
  }
  CHECK(Correlation(signal, rounded_error) < -0.99);
  CHECK(std::abs(Correlation(signal, dithered_error)) < 0.01);
}

TEST_CASE("digital silence stays silent under dither") {
  for (int step : Dithered(std::vector<float>(10'000))) REQUIRE(step == 0);
  CHECK(Dithered({0.0F, -0.0F, 0.0F}) == std::vector<int>{0, 0, 0});
}

TEST_CASE("Case 26: dither is the same at every run, in blocks of any size, for one seed only") {
  const std::vector<float> samples = Noise(10'000);
  const std::vector<int> whole = Dithered(samples);
  CHECK(whole == Dithered(samples));
  CHECK(whole != Dithered(samples, 2));
  SampleShaper shaper(Integers(SampleFormat::kS16, Dither::kTpdf), 1);
  std::vector<int> parts = Steps(&shaper, {samples.begin(), samples.begin() + 123});
  const std::vector<int> rest = Steps(&shaper, {samples.begin() + 123, samples.end()});
  parts.insert(parts.end(), rest.begin(), rest.end());
  CHECK(whole == parts);
}

TEST_CASE("samples beyond full scale are limited and counted, those that round to it are not") {
  SampleShaper shaper(Integers(SampleFormat::kS16, Dither::kNone, ClipPolicy::kClamp), 1);
  const auto almost = static_cast<float>(32'767.4 / kSteps16);
  CHECK(Steps(&shaper, {1.5F, -1.5F, -1.0F, almost, 0.5F}) ==
        std::vector<int>{32'767, -32'768, -32'768, 32'767, 16'384});
  CHECK(shaper.limited() == 2);
  CHECK(Steps(&shaper, {1.0F}) == std::vector<int>{32'767});
  CHECK(shaper.limited() == 3);
}

TEST_CASE("dither that goes beyond full scale is limited but not counted") {
  SampleShaper shaper(Integers(SampleFormat::kS16, Dither::kTpdf, ClipPolicy::kClamp), 1);
  const std::vector<float> top(1'000, static_cast<float>(32'767 / kSteps16));
  for (int step : Steps(&shaper, top)) REQUIRE(step <= 32'767);
  CHECK(shaper.limited() == 0);
}

TEST_CASE("of 32 bits, full scale itself is kept and not counted") {
  SampleShaper shaper(Integers(SampleFormat::kS32, Dither::kNone), 1);
  const std::vector<float> samples = {1.0F, -1.0F, 1.5F, 0.5F};
  std::vector<int> out;
  shaper.ToIntegers(samples.data(), 4, 1, &out);
  CHECK(out == std::vector<int>{2'147'483'647, -2'147'483'647 - 1, 2'147'483'647, 1 << 30});
  CHECK(shaper.limited() == 1);
}

TEST_CASE("floats are limited under CLAMP alone") {
  const std::vector<float> samples = {1.5F, -2.0F, 1.0F, -0.25F};
  std::vector<float> out;
  for (ClipPolicy clip : {ClipPolicy::kGain, ClipPolicy::kNone}) {
    SampleShaper shaper({OutputContainer::kWav, SampleFormat::kF32, clip}, 1);
    shaper.ToFloats(samples.data(), 4, 1, &out);
    CHECK(out == samples);
    CHECK(shaper.limited() == 0);
  }
  SampleShaper shaper({OutputContainer::kMp3, SampleFormat::kNone, ClipPolicy::kClamp}, 1);
  shaper.ToFloats(samples.data(), 4, 1, &out);
  CHECK(out == std::vector<float>{1.0F, -1.0F, 1.0F, -0.25F});
  CHECK(shaper.limited() == 2);
}

}  // namespace
}  // namespace unbraid::audio
