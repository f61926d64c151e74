#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "services/common/audio/decoder.h"
#include "services/common/audio/mpeg_header.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

constexpr int kMp3 = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
constexpr int kRate = 44'100;
constexpr int64_t kFrames = 5 * kRate;
constexpr int64_t kMpegFrame = 1'152;

// Loud noise first, then silence: with a variable bit rate the first frames say nothing about the
// length.
std::vector<float> Uneven() {
  std::vector<float> samples = Noise(2 * kRate);
  samples.resize(static_cast<size_t>(2 * kFrames));
  return samples;
}

// Offsets of the frames of an MP3 file that begins with one.
std::vector<size_t> FrameOffsets(const std::string& mp3) {
  std::vector<size_t> offsets;
  for (size_t at = 0; at < mp3.size();) {
    const auto header = ParseMpegHeader(absl::string_view(mp3).substr(at));
    if (!header.has_value()) break;
    offsets.push_back(at);
    at += header->bytes;
  }
  return offsets;
}

// An MP3 file as LAME makes it: variable bit rate, Xing header, delay and padding noted.
class Mp3 {
 public:
  Mp3() { bytes_ = ReadBytes(folder_.Write("whole.mp3", kMp3, kRate, 2, Uneven())); }

  const std::string& bytes() const { return bytes_; }
  std::string WithoutXing() const { return bytes_.substr(FrameOffsets(bytes_)[1]); }
  absl::StatusOr<Decoded> Decode(const std::string& bytes) const {
    return DecodeAll(folder_.Write("song.mp3", bytes));
  }

 private:
  AudioFolder folder_;
  std::string bytes_;
};

std::string Id3Tag(size_t size) {
  const auto digit = [size](int shift) { return static_cast<char>((size >> shift) & 0x7F); };
  return std::string("ID3\x03\0\0", 6) + digit(21) + digit(14) + digit(7) + digit(0) +
         std::string(size, '\0');
}

TEST_CASE("Cases 2, 34: with LAME's delay an MP3 comes back at the length of the song") {
  const Mp3 mp3;
  const Decoded decoded = mp3.Decode(mp3.bytes()).value();
  CHECK(decoded.frames() == kFrames);
  CHECK(decoded.format.container == "MP3");
  CHECK(decoded.format.codec == "MP3");
  CHECK(decoded.format.sample_format == SampleFormat::kF32);
  CHECK(decoded.format.rate_hz == kRate);
  CHECK(decoded.format.channels == 2);
}

TEST_CASE("where libsndfile gets the length right, the samples are the same") {
  const AudioFolder folder;
  const std::string path = folder.Write("a.mp3", kMp3, 48'000, 1, Sine(96'000, 1, 440, 48'000));
  CHECK(Difference(DecodeAll(path).value().samples, SndfileDecode(path)) == "");
}

TEST_CASE("Case 34: variable bit rate without a Xing header is decoded to the last frame") {
  const Mp3 mp3;
  const std::string bytes = mp3.WithoutXing();
  const auto mpeg_frames = static_cast<int64_t>(FrameOffsets(bytes).size());
  const Decoded decoded = mp3.Decode(bytes).value();
  CHECK(decoded.frames() == mpeg_frames * kMpegFrame);
  CHECK(decoded.frames() >= kFrames);
}

TEST_CASE("Case 34: a 5 MB cover picture, padding, an ID3v1 tail and an APE tag change nothing") {
  const Mp3 mp3;
  const std::vector<float> plain = mp3.Decode(mp3.bytes()).value().samples;
  const std::string ape = "APETAGEX" + std::string(4'000, '\x01');
  for (const std::string& bytes :
       {Id3Tag(5'000'000) + mp3.bytes(), Id3Tag(3'000) + std::string(500, '\0') + mp3.bytes(),
        mp3.bytes() + "TAG" + std::string(125, 'x'), mp3.bytes() + ape}) {
    CHECK(Difference(mp3.Decode(bytes).value().samples, plain) == "");
  }
  const std::string tail = mp3.WithoutXing();
  CHECK(mp3.Decode(tail + ape).value().frames() == mp3.Decode(tail).value().frames());
}

TEST_CASE("Case 33: an MP3 cut off half-way is corrupt where its header tells the length") {
  const Mp3 mp3;
  const std::vector<size_t> offsets = FrameOffsets(mp3.bytes());
  const std::string refusal =
      Refusal(mp3.Decode(mp3.bytes().substr(0, offsets[offsets.size() / 2] + 10)).status());
  CHECK(refusal.substr(0, 31) == "CORRUPT_AUDIO: The file ends at");
  CHECK(refusal.find("although it promises 5.000 s (frame 220500)") != std::string::npos);
}

TEST_CASE("an MP3 whose header tells no length ends where its frames end") {
  const Mp3 mp3;
  const std::string bytes = mp3.WithoutXing();
  const std::vector<size_t> offsets = FrameOffsets(bytes);
  const size_t half = offsets.size() / 2;
  const Decoded decoded = mp3.Decode(bytes.substr(0, offsets[half] + 2)).value();
  CHECK(decoded.frames() == static_cast<int64_t>(half) * kMpegFrame);
}

TEST_CASE("Case 18: a second MP3 behind the first is not lost") {
  const Mp3 mp3;
  const Decoded decoded = mp3.Decode(mp3.bytes() + mp3.bytes()).value();
  CHECK(decoded.frames() >= 2 * kFrames);
}

TEST_CASE("a change of the sample rate within an MP3 is refused") {
  const Mp3 mp3;
  const AudioFolder folder;
  const std::string other = ReadBytes(folder.Write("b.mp3", kMp3, 48'000, 2, Noise(2 * 48'000)));
  CHECK(Refusal(mp3.Decode(mp3.WithoutXing() + other.substr(FrameOffsets(other)[1])).status()) ==
        "UNSUPPORTED_AUDIO: The sample rate or the number of channels changes in the middle of the "
        "file. Convert it to WAV first.");
}

TEST_CASE("a recording of a broadcast begins in the middle of a frame") {
  const Mp3 mp3;
  const std::string bytes = mp3.WithoutXing();
  const std::vector<size_t> offsets = FrameOffsets(bytes);
  const Decoded decoded = mp3.Decode(bytes.substr(offsets[10] + 50)).value();
  const auto whole_frames = static_cast<int64_t>(offsets.size()) - 11;
  CHECK(decoded.frames() >= (whole_frames - 3) * kMpegFrame);
  CHECK(decoded.frames() <= whole_frames * kMpegFrame);
}

TEST_CASE("frame headers tell version, layer, rate and length") {
  const auto layer3 = ParseMpegHeader("\xFF\xFB\x90\x64").value();
  CHECK(layer3.layer == 3);
  CHECK(layer3.rate_hz == 44'100);
  CHECK(layer3.bytes == 417);
  const auto mpeg2 = ParseMpegHeader("\xFF\xF3\x82\xC4").value();
  CHECK(mpeg2.rate_hz == 22'050);
  CHECK(mpeg2.bytes == 209);
  CHECK(mpeg2.mono);
  const auto layer2 = ParseMpegHeader("\xFF\xFD\xA4\x04").value();
  CHECK(layer2.layer == 2);
  CHECK(layer2.rate_hz == 48'000);
  CHECK(layer2.bytes == 576);
  for (const char* wrong :
       {"\xFF\xFB\xF0\x64", "\xFF\xFB\x9C\x64", "\xFF\xEB\x90\x64", "\xFF\xF9\x90\x64",
        "\xFF\xFB\x04\x64", "\xFE\xFB\x90\x64", "\xFF\xFB"}) {
    CHECK_FALSE(ParseMpegHeader(wrong).has_value());
  }
}

}  // namespace
}  // namespace unbraid::audio
