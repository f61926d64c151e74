#include "services/common/audio/decoder.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

struct Kind {
  const char* container;
  int format;
  const char* codec;
  SampleFormat sample_format;
  int bits;  // 0: floats
};

constexpr Kind kLossless[] = {
    {"WAV", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, "PCM_U8", SampleFormat::kU8, 8},
    {"WAV", SF_FORMAT_WAV | SF_FORMAT_PCM_16, "PCM_S16", SampleFormat::kS16, 16},
    {"WAV", SF_FORMAT_WAV | SF_FORMAT_PCM_24, "PCM_S24", SampleFormat::kS24, 24},
    {"WAV", SF_FORMAT_WAV | SF_FORMAT_PCM_32, "PCM_S32", SampleFormat::kS32, 24},
    {"WAV", SF_FORMAT_WAV | SF_FORMAT_FLOAT, "PCM_F32", SampleFormat::kF32, 0},
    {"WAV", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, "PCM_F64", SampleFormat::kF64, 0},
    {"WAV", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, "PCM_S24", SampleFormat::kS24, 24},
    {"RF64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, "PCM_S16", SampleFormat::kS16, 16},
    {"W64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, "PCM_S16", SampleFormat::kS16, 16},
    {"AIFF", SF_FORMAT_AIFF | SF_FORMAT_PCM_S8, "PCM_S8", SampleFormat::kU8, 8},
    {"AIFF", SF_FORMAT_AIFF | SF_FORMAT_PCM_24, "PCM_S24", SampleFormat::kS24, 24},
    {"CAF", SF_FORMAT_CAF | SF_FORMAT_PCM_16, "PCM_S16", SampleFormat::kS16, 16},
    {"CAF", SF_FORMAT_CAF | SF_FORMAT_ALAC_16, "ALAC", SampleFormat::kS16, 16},
    {"AU", SF_FORMAT_AU | SF_FORMAT_FLOAT, "PCM_F32", SampleFormat::kF32, 0},
    {"FLAC", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, "PCM_S16", SampleFormat::kS16, 16},
    {"FLAC", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, "PCM_S24", SampleFormat::kS24, 24},
};

TEST_CASE("Cases 2, 10: every lossless container gives back its samples, depth and length") {
  const AudioFolder folder;
  for (const Kind& kind : kLossless) {
    for (int channels : {1, 2}) {
      CAPTURE(kind.container, kind.codec, channels);
      // libsndfile itself writes an odd number of bytes into an AIFF as one more.
      const int64_t count = (kind.bits == 8 ? 5'002 : 5'001) * channels;
      const std::vector<float> samples =
          kind.bits == 0 ? Noise(count, 1.5F) : ExactIntegers(count, kind.bits);
      const Decoded decoded =
          DecodeAll(folder.Write("a", kind.format, 48'000, channels, samples)).value();
      CHECK(decoded.format.container == kind.container);
      CHECK(decoded.format.codec == kind.codec);
      CHECK(decoded.format.sample_format == kind.sample_format);
      CHECK(decoded.format.rate_hz == 48'000);
      CHECK(decoded.format.channels == channels);
      CHECK(Difference(decoded.samples, samples) == "");
    }
  }
}

TEST_CASE("Case 32: a FLAC file named .wav is a FLAC file") {
  const AudioFolder folder;
  const std::vector<float> samples = ExactIntegers(1'000, 16);
  const std::string path =
      folder.Write("song.wav", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44'100, 1, samples);
  CHECK(DecodeAll(path).value().format.container == "FLAC");
}

TEST_CASE("a FLAC file is decoded behind tags of every kind") {
  const std::string tag = std::string("ID3\x04\0\0\0\0\0\x20", 10) + std::string(32, '\0');
  std::string with_footer = tag + std::string("3DI\x04\0\x10\0\0\0\x20", 10);
  with_footer[5] = '\x10';
  const AudioFolder folder;
  const std::vector<float> samples = ExactIntegers(1'000, 16);
  const std::string flac =
      ReadBytes(folder.Write("a", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44'100, 1, samples));
  for (const std::string& before : {tag, tag + tag, with_footer, tag + std::string(50, '\0')}) {
    CAPTURE(before.size());
    CHECK(Difference(DecodeAll(folder.Write("b", before + flac)).value().samples, samples) == "");
  }
}

TEST_CASE("Case 31: a name of any bytes is opened") {
  const AudioFolder folder;
  for (const std::string& name : {std::string("04 絆ふぉーえばー.mp3"), std::string("ó ű.wav"),
                                  std::string("two\nlines"), std::string(255, 'n')}) {
    const std::string path =
        folder.Write(name, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44'100, 1, ExactIntegers(10, 16));
    CHECK(DecodeAll(path).value().frames() == 10);
  }
}

TEST_CASE("a container that knows no ID3v2 tags is decoded behind one") {
  const AudioFolder folder;
  const std::string tag = std::string("ID3\x03\0\0\0\0\x02\x10", 10) + std::string(272, '\0');
  const std::vector<float> samples = ExactIntegers(1'000, 16);
  for (const Kind& kind : kLossless) {
    if (kind.bits != 16) continue;
    CAPTURE(kind.container);
    const std::string bytes = ReadBytes(folder.Write("a", kind.format, 44'100, 1, samples));
    const auto decoded = DecodeAll(folder.Write("tagged", tag + bytes));
    REQUIRE(decoded.status() == absl::OkStatus());
    CHECK(decoded->format.container == kind.container);
    CHECK(Difference(decoded->samples, samples) == "");
  }
}

TEST_CASE("Case 4: one frame is a track") {
  const AudioFolder folder;
  for (int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16}) {
    CHECK(
        Difference(DecodeAll(folder.Write("one", format, 44'100, 2, {0.5F, -0.5F})).value().samples,
                   std::vector<float>{0.5F, -0.5F}) == "");
  }
}

TEST_CASE("Case 11: the channel map of a file says where its speakers stand") {
  const AudioFolder folder;
  const std::vector<float> samples = Noise(60);
  const std::string path =
      folder.Write("six", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, 44'100, 6, samples,
                   {SF_CHANNEL_MAP_LEFT, SF_CHANNEL_MAP_RIGHT, SF_CHANNEL_MAP_CENTER,
                    SF_CHANNEL_MAP_LFE, SF_CHANNEL_MAP_REAR_LEFT, SF_CHANNEL_MAP_REAR_RIGHT});
  CHECK(Decoder::Open(path).value()->speakers() == UsualSpeakers(6));
  const std::string quad = folder.Write(
      "quad", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, 44'100, 4, samples,
      {SF_CHANNEL_MAP_LEFT, SF_CHANNEL_MAP_RIGHT, SF_CHANNEL_MAP_CENTER, SF_CHANNEL_MAP_LFE});
  CHECK(Decoder::Open(quad).value()->speakers() ==
        std::vector<Speaker>{Speaker::kLeft, Speaker::kRight, Speaker::kCentre, Speaker::kLfe});
}

TEST_CASE("without a channel map the order is WAVE's") {
  const AudioFolder folder;
  for (int channels : {3, 4, 5, 6, 7, 8}) {
    const std::string path = folder.Write("plain", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44'100,
                                          channels, Noise(channels * 10));
    CHECK(Decoder::Open(path).value()->speakers() == UsualSpeakers(channels));
  }
}

TEST_CASE("rates and channel counts out of range are refused with the range") {
  const AudioFolder folder;
  const auto refusal = [&](int rate, int channels) {
    return Refusal(Decoder::Open(folder.Write("odd", SF_FORMAT_WAV | SF_FORMAT_PCM_16, rate,
                                              channels, Noise(channels * 10)))
                       .status());
  };
  CHECK(refusal(7'999, 1) ==
        "UNSUPPORTED_AUDIO: The file has 1 channel at 7999 Hz; 1 to 8 channels and 8000 to 192000 "
        "Hz can be separated. Convert it first.");
  CHECK(refusal(192'001, 2).substr(0, 54) ==
        "UNSUPPORTED_AUDIO: The file has 2 channels at 192001 H");
  CHECK(refusal(44'100, 9).substr(0, 54) ==
        "UNSUPPORTED_AUDIO: The file has 9 channels at 44100 Hz");
  CHECK(refusal(8'000, 8) == "OK");
  CHECK(refusal(192'000, 1) == "OK");
}

TEST_CASE("Case 16: a sample that is no number is named by its time") {
  const AudioFolder folder;
  for (float bad : {std::nanf(""), std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity()}) {
    std::vector<float> samples = Noise(2 * 20'000);
    samples[2 * 12'000 + 1] = bad;
    const std::string path =
        folder.Write("nan", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8'000, 2, samples);
    CHECK(Refusal(DecodeAll(path).status()) ==
          "NON_FINITE_SAMPLE: The file has a sample that is no number (NaN or infinity) at 1.500 s "
          "(frame 12000). Repair the file, or ask for such samples to count as silence.");
  }
}

TEST_CASE("Case 12: floats beyond full scale stay what they are") {
  const AudioFolder folder;
  const std::vector<float> samples = {1.5F, -2.25F, 1e-30F, 100.0F};
  CHECK(Difference(
            DecodeAll(folder.Write("loud", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44'100, 1, samples))
                .value()
                .samples,
            samples) == "");
}

}  // namespace
}  // namespace unbraid::audio
