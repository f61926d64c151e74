#include "services/common/audio/levels.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

PeakMeter MeterOf(const std::vector<float>& samples) {
  PeakMeter meter;
  meter.Add(samples.data(), static_cast<int64_t>(samples.size()));
  return meter;
}

OutputFormat Integers(int bits) {
  OutputFormat format;
  format.sample_format = bits == 16   ? SampleFormat::kS16
                         : bits == 24 ? SampleFormat::kS24
                                      : SampleFormat::kS32;
  format.dither = Dither::kNone;
  return format;
}

OutputFormat Dithered(int bits) {
  OutputFormat format = Integers(bits);
  format.dither = Dither::kTpdf;
  return format;
}

// What the encoder would write.
double Quantised(float sample, float gain, int bits) {
  return std::nearbyint(static_cast<double>(sample) * gain * std::ldexp(1.0, bits - 1));
}

void CheckFits(float sample, float gain, int bits) {
  CAPTURE(sample, gain, bits);
  CHECK(Quantised(sample, gain, bits) <= std::ldexp(1.0, bits - 1) - 1);
  CHECK(Quantised(sample, gain, bits) >= -std::ldexp(1.0, bits - 1));
}

TEST_CASE("the peaks are found wherever they stand") {
  for (size_t count : {1, 7, 8, 9, 30}) {
    for (size_t at = 0; at < count; ++at) {
      std::vector<float> samples(count, 0.25F);
      samples[at] = 0.75F;
      CHECK(MeterOf(samples).highest() == 0.75F);
      samples[at] = -0.5F;
      CHECK(MeterOf(samples).lowest() == -0.5F);
    }
  }
}

TEST_CASE("what fits is left alone, to the last step of the format") {
  for (int bits : {16, 24}) {
    const auto full = static_cast<float>(std::ldexp(1.0, bits - 1));
    CHECK(CommonGain(MeterOf(ExactIntegers(5000, bits)), Integers(bits)) == 1.0F);
    CHECK(CommonGain(MeterOf({(full - 1) / full, -1.0F}), Integers(bits)) == 1.0F);
  }
  CHECK(CommonGain(MeterOf({32'767.25F / 32'768.0F}), Integers(16)) == 1.0F);
  CHECK(CommonGain(MeterOf({}), Integers(16)) == 1.0F);
}

TEST_CASE("what would round beyond the range gets a gain") {
  CHECK(CommonGain(MeterOf({32'767.5F / 32'768.0F}), Integers(16)) < 1.0F);
  CHECK(CommonGain(MeterOf({1.0F}), Integers(16)) < 1.0F);
  CHECK(CommonGain(MeterOf({-1.001F}), Integers(16)) < 1.0F);
}

TEST_CASE(
    "Case 9: with the gain nothing clips, and the loudest sample reaches the end of the range") {
  for (int bits : {16, 24}) {
    for (float peak : {1.0F, 1.0001F, 1.2589F, 1.5F, 2.0F, 3.999F, 17.3F, 1e6F}) {
      for (float sign : {1.0F, -1.0F}) {
        const float gain = CommonGain(MeterOf({0.1F, sign * peak, -0.2F}), Integers(bits));
        CHECK(gain <= 1.0F);
        CheckFits(sign * peak, gain, bits);
        CHECK(std::abs(Quantised(sign * peak, gain, bits)) >= std::ldexp(1.0, bits - 1) - 3);
      }
    }
  }
}

TEST_CASE("Case 8: the gain is one for all that the meter saw") {
  PeakMeter meter;
  const std::vector<float> quiet = {0.1F, -0.3F};
  const std::vector<float> loud = {1.7F, -2.5F};
  meter.Add(quiet.data(), 2);
  meter.Add(loud.data(), 2);
  CHECK(meter.highest() == 1.7F);
  CHECK(meter.lowest() == -2.5F);
  const float gain = CommonGain(meter, Integers(16));
  CHECK(gain == Approx(1 / 2.5).epsilon(1e-6));
  CheckFits(1.7F, gain, 16);
  CheckFits(-2.5F, gain, 16);
}

TEST_CASE("floats never need a gain, and nor does anything under another policy") {
  const PeakMeter meter = MeterOf({7.0F, -9.0F});
  CHECK(CommonGain(meter, {OutputContainer::kWav, SampleFormat::kF32}) == 1.0F);
  for (ClipPolicy clip : {ClipPolicy::kClamp, ClipPolicy::kNone}) {
    OutputFormat format = Integers(16);
    format.clip = clip;
    CHECK(CommonGain(meter, format) == 1.0F);
    CHECK(CommonGain(meter, {OutputContainer::kMp3, SampleFormat::kNone, clip}) == 1.0F);
  }
}

TEST_CASE("Case 9: lossy formats are kept within full scale") {
  for (OutputContainer container :
       {OutputContainer::kOggVorbis, OutputContainer::kOggOpus, OutputContainer::kMp3}) {
    const OutputFormat format{container, SampleFormat::kNone};
    CHECK(CommonGain(MeterOf({1.0F, -1.0F}), format) == 1.0F);
    for (float peak : {1.001F, -1.7F, 3.3F}) {
      const float gain = CommonGain(MeterOf({0.1F, peak}), format);
      CHECK(std::abs(peak) * gain <= 1.0F);
      CHECK(std::abs(peak) * gain == Approx(1.0).epsilon(1e-6));
    }
  }
}

TEST_CASE("of 32 bits, which are finer than a float, full scale itself is left alone") {
  CHECK(CommonGain(MeterOf({1.0F, -1.0F}), Integers(32)) == 1.0F);
  CHECK(CommonGain(MeterOf({1.0001F}), Integers(32)) == Approx(1 / 1.0001).epsilon(1e-6));
}

TEST_CASE("Case 9: with dither there is room for it at both ends") {
  for (int bits : {16, 24}) {
    const double full = std::ldexp(1.0, bits - 1);
    for (float peak : {static_cast<float>((full - 1) / full), 1.0F, -1.0F, 1.5F}) {
      CAPTURE(bits, peak);
      const float gain = CommonGain(MeterOf({peak}), Dithered(bits));
      CHECK(gain < 1.0F);
      const double steps = static_cast<double>(peak) * gain * full;
      CHECK(steps + 1 < full - 0.5);
      CHECK(steps - 1 > -full - 0.5);
    }
    CHECK(CommonGain(MeterOf({static_cast<float>((full - 2) / full)}), Dithered(bits)) == 1.0F);
  }
}

TEST_CASE("gains are told in decibels") {
  CHECK(ToDecibel(1.0F) == 0.0);
  CHECK(ToDecibel(0.5F) == Approx(-6.0206).epsilon(1e-4));
}

}  // namespace
}  // namespace unbraid::audio
