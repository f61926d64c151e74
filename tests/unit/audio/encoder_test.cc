#include "services/common/audio/encoder.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/common/base/status.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

using C = OutputContainer;
using F = SampleFormat;

constexpr int64_t kBlockFrames = 777;

absl::Status Encode(const std::string& path, OutputFormat format, int channels,
                    const std::vector<float>& samples, float gain = 1.0F) {
  const auto frames = static_cast<int64_t>(samples.size()) / channels;
  UNBRAID_ASSIGN_OR_RETURN(const auto encoder,
                           Encoder::Create(path, format, 48'000, channels, frames));
  for (int64_t at = 0; at < frames; at += kBlockFrames) {
    UNBRAID_RETURN_IF_ERROR(
        encoder->Write(samples.data() + at * channels, std::min(kBlockFrames, frames - at), gain));
  }
  return encoder->Finish();
}

// The integers in a file, in the upper bits of an int.
std::vector<int> Integers(const std::string& path) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  REQUIRE(file != nullptr);
  std::vector<int> values(static_cast<size_t>(info.frames * info.channels));
  CHECK(sf_readf_int(file, values.data(), info.frames) == info.frames);
  sf_close(file);
  return values;
}

TEST_CASE("Cases 2, 10: integers come back as the same integers, in mono and stereo") {
  const AudioFolder folder;
  for (C container : {C::kWav, C::kFlac, C::kAiff}) {
    for (const auto& [format, bits] : {std::pair{F::kS16, 16}, std::pair{F::kS24, 24}}) {
      for (int channels : {1, 2}) {
        CAPTURE(static_cast<int>(container), bits, channels);
        const std::vector<float> samples = ExactIntegers(10'001 * channels, bits);
        const std::string path = folder.Path("out");
        REQUIRE(Encode(path, {container, format}, channels, samples).ok());
        const Decoded decoded = DecodeAll(path).value();
        CHECK(Difference(decoded.samples, samples) == "");
        CHECK(decoded.format.sample_format == format);
        CHECK(decoded.format.rate_hz == 48'000);
        CHECK(decoded.format.channels == channels);
        const char* name = container == C::kFlac ? "FLAC" : container == C::kAiff ? "AIFF" : "WAV";
        CHECK(decoded.format.container == name);
      }
    }
  }
}

TEST_CASE("Case 10: 32-bit integers stay 32-bit integers, to a float's precision") {
  const AudioFolder folder;
  for (C container : {C::kWav, C::kAiff}) {
    const std::vector<float> samples = ExactIntegers(10'001, 24);
    REQUIRE(Encode(folder.Path("out"), {container, F::kS32}, 1, samples).ok());
    const Decoded decoded = DecodeAll(folder.Path("out")).value();
    CHECK(decoded.format.sample_format == F::kS32);
    CHECK(Difference(decoded.samples, samples) == "");
  }
}

TEST_CASE("a file decoded from 16 bit and encoded to 16 bit holds the same integers") {
  const AudioFolder folder;
  const std::string source =
      folder.Write("in", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48'000, 2, Noise(2 * 20'000, 0.9F));
  REQUIRE(Encode(folder.Path("out"), {C::kWav, F::kS16}, 2, DecodeAll(source)->samples).ok());
  CHECK(Integers(folder.Path("out")) == Integers(source));
}

TEST_CASE("Case 12: floats come back bit for bit, beyond full scale too") {
  const AudioFolder folder;
  const std::vector<float> samples = Noise(2 * 10'001, 3.0F);
  for (C container : {C::kWav, C::kAiff}) {
    REQUIRE(Encode(folder.Path("out"), {container, F::kF32}, 2, samples).ok());
    CHECK(Difference(DecodeAll(folder.Path("out"))->samples, samples) == "");
  }
}

TEST_CASE("a sample is rounded to the nearest step, and clamped at the ends") {
  const AudioFolder folder;
  constexpr float kStep = 1.0F / 32'768.0F;
  const std::vector<float> samples = {0.4F * kStep, 0.6F * kStep,  -0.6F * kStep, 1.5F * kStep,
                                      2.5F * kStep, 1.0F,          2.0F,          -1.0F,
                                      -2.0F,        32'767 * kStep};
  REQUIRE(Encode(folder.Path("out"), {C::kWav, F::kS16}, 1, samples).ok());
  std::vector<int> values = Integers(folder.Path("out"));
  for (int& value : values) value /= 65'536;
  CHECK(values == std::vector<int>{0, 1, -1, 2, 2, 32'767, 32'767, -32'768, -32'768, 32'767});
}

TEST_CASE("Case 8: the gain applies to every sample alike") {
  const AudioFolder folder;
  const std::vector<float> samples = Noise(2 * 2'000, 1.9F);
  REQUIRE(Encode(folder.Path("out"), {C::kWav, F::kF32}, 2, samples, 0.5F).ok());
  const std::vector<float> quieter = DecodeAll(folder.Path("out"))->samples;
  for (size_t i = 0; i < samples.size(); ++i) REQUIRE(quieter[i] == samples[i] * 0.5F);
}

TEST_CASE("Case 26: equal input gives equal bytes, with nothing of the time in them") {
  const AudioFolder folder;
  const std::vector<float> samples = Noise(2 * 5'000);
  for (OutputFormat format : {OutputFormat{C::kWav, F::kF32}, OutputFormat{C::kWav, F::kS24},
                              OutputFormat{C::kFlac, F::kS16}, OutputFormat{C::kAiff, F::kF32}}) {
    REQUIRE(Encode(folder.Path("one"), format, 2, samples).ok());
    REQUIRE(Encode(folder.Path("two"), format, 2, samples).ok());
    CHECK(ReadBytes(folder.Path("one")) == ReadBytes(folder.Path("two")));
    CHECK(ReadBytes(folder.Path("one")).substr(0, 200).find("PEAK") == std::string::npos);
  }
}

TEST_CASE("Case 17: silence is a valid file of its full length") {
  const AudioFolder folder;
  for (OutputFormat format : {OutputFormat{C::kWav, F::kS16}, OutputFormat{C::kFlac, F::kS24},
                              OutputFormat{C::kAiff, F::kS32}}) {
    REQUIRE(Encode(folder.Path("out"), format, 2, std::vector<float>(2 * 9'999)).ok());
    const Decoded decoded = DecodeAll(folder.Path("out")).value();
    CHECK(Difference(decoded.samples, std::vector<float>(2 * 9'999)) == "");
  }
}

TEST_CASE("Case 4: one frame is a file") {
  const AudioFolder folder;
  for (C container : {C::kWav, C::kFlac, C::kAiff}) {
    REQUIRE(Encode(folder.Path("out"), {container, F::kS16}, 1, {0.25F}).ok());
    CHECK(Difference(DecodeAll(folder.Path("out"))->samples, std::vector<float>{0.25F}) == "");
  }
}

TEST_CASE("every rate from 8 to 192 kHz can be written") {
  const AudioFolder folder;
  for (C container : {C::kWav, C::kFlac, C::kAiff}) {
    for (int rate : {8'000, 11'025, 12'345, 44'100, 65'535, 88'200, 96'010, 176'400, 192'000}) {
      CAPTURE(rate);
      auto encoder = Encoder::Create(folder.Path("out"), {container, F::kS24}, rate, 2, 100);
      REQUIRE(encoder.ok());
      REQUIRE((*encoder)->Write(Noise(200).data(), 100, 1.0F).ok());
      REQUIRE((*encoder)->Finish().ok());
      CHECK(DecodeAll(folder.Path("out"))->format.rate_hz == rate);
    }
  }
}

TEST_CASE("Case 24: a file that is not finished does not stay") {
  const AudioFolder folder;
  {
    auto encoder = Encoder::Create(folder.Path("out"), {C::kWav, F::kS16}, 48'000, 2, 1'000);
    REQUIRE(encoder.ok());
    REQUIRE((*encoder)->Write(Noise(2'000).data(), 1'000, 1.0F).ok());
    CHECK(std::filesystem::exists(folder.Path("out")));
  }
  CHECK_FALSE(std::filesystem::exists(folder.Path("out")));
}

TEST_CASE("a file can be finished only once") {
  const AudioFolder folder;
  auto encoder = Encoder::Create(folder.Path("out"), {C::kWav, F::kS16}, 48'000, 1, 1).value();
  REQUIRE(encoder->Write(Noise(1).data(), 1, 1.0F).ok());
  REQUIRE(encoder->Finish().ok());
  CHECK(encoder->Finish().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("more than RIFF can count becomes RF64") {
  const AudioFolder folder;
  constexpr int64_t kFrames = int64_t{600} << 20;
  for (int64_t frames : {int64_t{1'000}, kFrames}) {
    auto encoder = Encoder::Create(folder.Path("out"), {C::kWav, F::kF32}, 48'000, 2, frames);
    REQUIRE(encoder.ok());
    REQUIRE((*encoder)->Write(Noise(2'000).data(), 1'000, 1.0F).ok());
    REQUIRE((*encoder)->Finish().ok());
    const Decoded decoded = DecodeAll(folder.Path("out")).value();
    CHECK(decoded.format.container == (frames == kFrames ? "RF64" : "WAV"));
    CHECK(decoded.frames() == 1'000);
  }
}

TEST_CASE("Case 36: a full disk is told as such") {
  const AudioFolder folder;
  for (C container : {C::kWav, C::kFlac, C::kAiff}) {
    std::filesystem::create_symlink("/dev/full", folder.Path("out"));
    const absl::Status status =
        Encode(folder.Path("out"), {container, F::kS16}, 2, Noise(2 * 100'000));
    CHECK(status.code() == absl::StatusCode::kResourceExhausted);
    CHECK(base::ReasonOf(status) == "DISK_FULL");
    CHECK(status.message() == "cannot write " + folder.Path("out") + ": no space left on the disk");
    CHECK_FALSE(std::filesystem::is_symlink(folder.Path("out")));
    CHECK(std::filesystem::exists("/dev/full"));
  }
}

TEST_CASE("Case 36: a folder that is not there is found out at once") {
  const AudioFolder folder;
  const absl::Status status =
      Encoder::Create(folder.Path("no/out"), {C::kWav, F::kS16}, 48'000, 2, 10).status();
  CHECK(status.code() == absl::StatusCode::kInternal);
  CHECK(std::string(status.message()).find("No such file or directory") != std::string::npos);
}

}  // namespace
}  // namespace unbraid::audio
