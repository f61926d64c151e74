#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "services/common/audio/decoder.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

constexpr int kVorbis = SF_FORMAT_OGG | SF_FORMAT_VORBIS;
constexpr int kOpus = SF_FORMAT_OGG | SF_FORMAT_OPUS;

TEST_CASE("Case 2: Vorbis and Opus come back at their own length") {
  const AudioFolder folder;
  for (int64_t frames : {1, 1'000, 48'001, 100'000}) {
    CAPTURE(frames);
    const Decoded vorbis =
        DecodeAll(folder.Write("v", kVorbis, 44'100, 2, Noise(2 * frames))).value();
    CHECK(vorbis.frames() == frames);
    CHECK(vorbis.format.codec == "VORBIS");
    CHECK(vorbis.format.sample_format == SampleFormat::kF32);
    const Decoded opus = DecodeAll(folder.Write("o", kOpus, 48'000, 1, Noise(frames))).value();
    CHECK(opus.frames() == frames);
    CHECK(opus.format.container == "OGG");
    CHECK(opus.format.codec == "OPUS");
  }
}

TEST_CASE("Case 2: Opus is decoded at 48 kHz, whatever rate its header names") {
  const AudioFolder folder;
  for (int rate : {8'000, 24'000}) {
    const Decoded opus = DecodeAll(folder.Write("o", kOpus, rate, 1, Noise(rate))).value();
    CHECK(opus.format.rate_hz == 48'000);
    CHECK(opus.frames() == 48'000);
  }
}

TEST_CASE("Case 11: more than two channels in Ogg have an order of their own") {
  const AudioFolder folder;
  const std::string six = folder.Write("six", kOpus, 48'000, 6, Noise(6 * 4'800));
  CHECK(Decoder::Open(six).value()->speakers() ==
        std::vector<Speaker>{Speaker::kLeft, Speaker::kCentre, Speaker::kRight,
                             Speaker::kSurroundLeft, Speaker::kSurroundRight, Speaker::kLfe});
  const std::string three = folder.Write("three", kVorbis, 48'000, 3, Noise(3 * 4'800));
  CHECK(Decoder::Open(three).value()->speakers() ==
        std::vector<Speaker>{Speaker::kLeft, Speaker::kCentre, Speaker::kRight});
}

TEST_CASE("Case 33: an Ogg file cut off within a page is corrupt") {
  const AudioFolder folder;
  for (int format : {kVorbis, kOpus}) {
    const std::string whole =
        ReadBytes(folder.Write("whole", format, 48'000, 2, Noise(2 * 100'000)));
    for (size_t less : {size_t{1}, size_t{500}, whole.size() / 2}) {
      CAPTURE(format, less);
      const std::string path = folder.Write("cut", whole.substr(0, whole.size() - less));
      CHECK(Refusal(DecodeAll(path).status()) ==
            "CORRUPT_AUDIO: The Ogg file is cut off: its last page is not whole. Get another copy "
            "of the file.");
    }
  }
}

TEST_CASE("Case 33: an Ogg file with a hole is corrupt") {
  const AudioFolder folder;
  const std::string whole =
      ReadBytes(folder.Write("whole", kVorbis, 44'100, 2, Noise(2 * 100'000)));
  const std::string path =
      folder.Write("hole", Patched(whole, whole.size() / 2, std::string(2'000, '\x55')));
  CHECK(Refusal(DecodeAll(path).status()).substr(0, 14) == "CORRUPT_AUDIO:");
}

TEST_CASE("Case 18: several recordings in one Ogg file are refused, not cut after the first") {
  const AudioFolder folder;
  const std::string one = ReadBytes(folder.Write("one", kVorbis, 44'100, 2, Noise(2 * 20'000)));
  const std::string path = folder.Write("two", one + one);
  CHECK(Refusal(DecodeAll(path).status()) ==
        "UNSUPPORTED_AUDIO: The Ogg file holds several recordings one after the other. Split it, "
        "or convert it to FLAC or WAV first.");
}

TEST_CASE("a tag behind the last page does no harm") {
  const AudioFolder folder;
  const std::string whole = ReadBytes(folder.Write("whole", kVorbis, 44'100, 1, Noise(20'000)));
  const std::string path = folder.Write("tagged", whole + "TAG" + std::string(125, 'x'));
  CHECK(DecodeAll(path).value().frames() == 20'000);
}

}  // namespace
}  // namespace unbraid::audio
