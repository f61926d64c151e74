#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "services/common/audio/encoder.h"
#include "services/common/base/status.h"
#include "tests/unit/audio/files.h"
#include "tests/unit/audio/lossy_audio.h"

namespace unbraid::audio {
namespace {

using C = OutputContainer;

// Encodes, decodes, and demands the exact geometry.
Decoded RoundTrip(const AudioFolder& folder, const OutputFormat& wanted, const Audio& audio) {
  const absl::Status status = Encode(folder.Path("out"), wanted, audio);
  INFO(status);
  REQUIRE(status.ok());
  Decoded decoded = DecodeAll(folder.Path("out")).value();
  CHECK(decoded.frames() == wanted.Frames(audio.frames(), audio.rate_hz));
  CHECK(decoded.format.rate_hz == wanted.RateHz(audio.rate_hz));
  CHECK(decoded.format.channels == audio.channels);
  return decoded;
}

void CheckAligned(const Decoded& decoded, const Audio& audio, double least_snr_db) {
  constexpr size_t kEnough = 4'096;
  const int last = audio.channels - 1;
  CHECK(Lag(Channel(audio.samples, audio.channels, last, kEnough),
            Channel(decoded.samples, audio.channels, last, kEnough)) == 0);
  CHECK(SnrDb(audio.samples, decoded.samples) > least_snr_db);
}

constexpr int kMp3Rates[] = {8'000, 11'025, 12'000, 16'000, 22'050, 24'000, 32'000, 44'100, 48'000};
constexpr int kAllRates[] = {8'000,  11'025, 12'000, 16'000, 22'050, 24'000,  32'000,
                             37'801, 44'100, 48'000, 88'200, 96'001, 176'400, 192'000};

TEST_CASE("Case 2: MP3 has exactly the frames of the input, aligned, at every rate and length") {
  const AudioFolder folder;
  for (int rate : kMp3Rates) {
    for (int channels : {1, 2}) {
      for (int64_t frames : {1, 100, 575, 576, 1'105, 1'152, 1'153, rate, rate * 2 + 77}) {
        CAPTURE(rate, channels, frames);
        const Audio audio = Rumble(frames, rate, channels);
        const Decoded decoded = RoundTrip(folder, {C::kMp3}, audio);
        if (frames >= rate) CheckAligned(decoded, audio, 10);
      }
    }
  }
}

TEST_CASE("Case 2: every bitrate of MP3 keeps the geometry, and is the bitrate") {
  const AudioFolder folder;
  for (int rate : kMp3Rates) {
    for (int kbps : {32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320}) {
      for (int channels : {1, 2}) {
        CAPTURE(rate, kbps, channels);
        const Audio audio = Rumble(rate / 2 + 321, rate, channels);
        OutputFormat format{C::kMp3};
        format.bitrate_kbps = kbps;
        if (!ResolveOutput(format, {SampleFormat::kF32, rate, channels, 1}).ok()) continue;
        CheckAligned(RoundTrip(folder, format, audio), audio, 3);
        const double seconds = static_cast<double>(audio.frames()) / rate;
        const auto bits = 8.0 * static_cast<double>(std::filesystem::file_size(folder.Path("out")));
        // Beside the audio: delay and padding, and the header.
        CHECK(bits / seconds / 1000 == Approx(kbps).epsilon(0.5));
        CHECK(bits / seconds / 1000 > 0.99 * kbps);
      }
    }
  }
}

TEST_CASE("Case 2: Vorbis has exactly the frames of the input, aligned, at every rate and length") {
  const AudioFolder folder;
  for (int rate : kAllRates) {
    for (int channels : {1, 2}) {
      for (int64_t frames : {1, 100, 255, 256, 257, 2'048, rate, rate + 77}) {
        CAPTURE(rate, channels, frames);
        const Audio audio = Rumble(frames, rate, channels);
        const Decoded decoded = RoundTrip(folder, {C::kOggVorbis}, audio);
        // At high rates most of the noise is beyond hearing, and is not kept.
        if (frames >= rate) CheckAligned(decoded, audio, 8);
      }
    }
  }
}

TEST_CASE("Case 2: Opus has exactly the frames of the input at 48 kHz, aligned") {
  const AudioFolder folder;
  for (int channels : {1, 2}) {
    for (int64_t frames : {1, 100, 311, 312, 313, 959, 960, 961, 48'000, 96'077}) {
      CAPTURE(channels, frames);
      const Audio audio = Rumble(frames, 48'000, channels);
      const Decoded decoded = RoundTrip(folder, {C::kOggOpus}, audio);
      if (frames >= 48'000) CheckAligned(decoded, audio, 10);
    }
  }
}

TEST_CASE("Opus of another rate is resampled to 48 kHz and keeps the rate in its header") {
  const AudioFolder folder;
  for (int rate : kAllRates) {
    for (int64_t frames : {int64_t{1}, int64_t{100}, int64_t{rate + 77}}) {
      CAPTURE(rate, frames);
      const Audio audio = Rumble(frames, rate, 2);
      RoundTrip(folder, {C::kOggOpus}, audio);
      const std::string bytes = ReadBytes(folder.Path("out"));
      CHECK(bytes.substr(bytes.find("OpusHead") + 12, 4) == Le32(static_cast<uint32_t>(rate)));
    }
  }
}

TEST_CASE("an impulse of another rate stands in Opus at the same time") {
  const AudioFolder folder;
  for (int rate : {8'000, 24'000, 44'100, 96'000}) {
    CAPTURE(rate);
    Audio audio{rate, 1, std::vector<float>(static_cast<size_t>(rate))};
    audio.samples[static_cast<size_t>(rate) / 2] = 0.9F;
    const Decoded decoded = RoundTrip(folder, {C::kOggOpus}, audio);
    const auto peak = std::max_element(decoded.samples.begin(), decoded.samples.end());
    CHECK(peak - decoded.samples.begin() == 24'000);
  }
}

TEST_CASE("an impulse stays where it was, in every lossy container") {
  const AudioFolder folder;
  for (C container : {C::kOggVorbis, C::kOggOpus, C::kMp3}) {
    CAPTURE(static_cast<int>(container));
    Audio audio{48'000, 1, std::vector<float>(60'000)};
    for (size_t at : {size_t{0}, size_t{20'000}, size_t{59'000}}) audio.samples[at] = 0.9F;
    const Decoded decoded = RoundTrip(folder, {container}, audio);
    for (size_t at : {size_t{20'000}, size_t{59'000}}) {
      const auto begin = decoded.samples.begin() + static_cast<int64_t>(at) - 900;
      CHECK(std::max_element(begin, begin + 1'800) - begin == 900);
    }
  }
}

TEST_CASE("minutes of audio keep their length and do not drift") {
  const AudioFolder folder;
  for (C container : {C::kOggVorbis, C::kOggOpus, C::kMp3}) {
    CAPTURE(static_cast<int>(container));
    const Audio audio = Rumble(2 * 60 * 44'100 + 13, 44'100, 1);
    Decoded decoded = RoundTrip(folder, {container}, audio);
    if (container == C::kOggOpus) continue;
    const int64_t tail = 20'000;
    decoded.samples.erase(decoded.samples.begin(), decoded.samples.end() - tail);
    CheckAligned(decoded, {44'100, 1, {audio.samples.end() - tail, audio.samples.end()}}, 10);
  }
}

TEST_CASE("Case 26: equal input gives equal bytes in every lossy container") {
  const AudioFolder folder;
  const Audio audio = Rumble(60'001, 44'100, 2);
  for (C container : {C::kOggVorbis, C::kOggOpus, C::kMp3}) {
    CAPTURE(static_cast<int>(container));
    REQUIRE(Encode(folder.Path("one"), {container}, audio, {"t", "a", "b", "s"}).ok());
    REQUIRE(Encode(folder.Path("two"), {container}, audio, {"t", "a", "b", "s"}).ok());
    CHECK(ReadBytes(folder.Path("one")) == ReadBytes(folder.Path("two")));
  }
}

TEST_CASE("a better quality is a larger file") {
  const AudioFolder folder;
  const Audio audio = Rumble(100'000, 44'100, 2);
  for (C container : {C::kOggVorbis, C::kMp3}) {
    CAPTURE(static_cast<int>(container));
    uintmax_t before = 0;
    for (double quality : {0.0, 0.3, 0.6, 0.8, 1.0}) {
      OutputFormat format{container};
      format.quality = quality;
      REQUIRE(Encode(folder.Path("out"), format, audio).ok());
      CHECK(std::filesystem::file_size(folder.Path("out")) > before);
      before = std::filesystem::file_size(folder.Path("out"));
    }
  }
}

TEST_CASE("Opus keeps near its bitrate") {
  const AudioFolder folder;
  const Audio audio = Rumble(4 * 48'000, 48'000, 2);
  for (int kbps : {32, 128, 510}) {
    CAPTURE(kbps);
    OutputFormat format{C::kOggOpus};
    format.bitrate_kbps = kbps;
    REQUIRE(Encode(folder.Path("out"), format, audio).ok());
    const auto bits = 8.0 * static_cast<double>(std::filesystem::file_size(folder.Path("out")));
    CHECK(bits / 4 / 1000 == Approx(kbps).epsilon(0.25));
  }
}

TEST_CASE("Case 17: silence is a valid silent file in every lossy container") {
  const AudioFolder folder;
  for (C container : {C::kOggVorbis, C::kOggOpus, C::kMp3}) {
    CAPTURE(static_cast<int>(container));
    const Decoded decoded =
        RoundTrip(folder, {container}, {44'100, 2, std::vector<float>(2 * 30'001)});
    for (float sample : decoded.samples) REQUIRE(std::abs(sample) < 1e-4F);
  }
}

TEST_CASE("Case 36: a full disk is told as such by every lossy container, and nothing stays") {
  const AudioFolder folder;
  for (C container : {C::kOggVorbis, C::kOggOpus, C::kMp3}) {
    CAPTURE(static_cast<int>(container));
    std::filesystem::create_symlink("/dev/full", folder.Path("out"));
    const absl::Status status = Encode(folder.Path("out"), {container}, Rumble(99'999, 44'100, 2));
    CHECK(status.code() == absl::StatusCode::kResourceExhausted);
    CHECK(base::ReasonOf(status) == "DISK_FULL");
    CHECK(status.message() == "cannot write " + folder.Path("out") + ": no space left on the disk");
    CHECK_FALSE(std::filesystem::is_symlink(folder.Path("out")));
  }
}

TEST_CASE("Case 24: a lossy file that is not finished does not stay") {
  const AudioFolder folder;
  const Audio audio = Rumble(20'000, 44'100, 2);
  for (C container : {C::kOggVorbis, C::kOggOpus, C::kMp3}) {
    {
      const auto encoder = Encoder::Create(folder.Path("out"), Resolved({container}, audio), 44'100,
                                           2, audio.frames());
      REQUIRE(encoder.ok());
      REQUIRE((*encoder)->Write(audio.samples.data(), audio.frames(), 1).ok());
      CHECK(std::filesystem::exists(folder.Path("out")));
    }
    CHECK_FALSE(std::filesystem::exists(folder.Path("out")));
  }
}

}  // namespace
}  // namespace unbraid::audio
