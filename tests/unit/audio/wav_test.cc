#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "services/common/audio/decoder.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

constexpr size_t kRiffLengthAt = 4;
constexpr size_t kFormatTagAt = 20;
constexpr size_t kDataLengthAt = 40;
constexpr size_t kHeader = 44;
constexpr int kWav = SF_FORMAT_WAV | SF_FORMAT_PCM_16;

class Wav {
 public:
  Wav() : samples_(ExactIntegers(2 * 3'000, 16)) {
    bytes_ = ReadBytes(folder_.Write("whole.wav", kWav, 44'100, 2, samples_));
    REQUIRE(bytes_.substr(kDataLengthAt - 4, 4) == "data");
  }

  const std::vector<float>& samples() const { return samples_; }
  const std::string& bytes() const { return bytes_; }
  absl::StatusOr<Decoded> Decode(const std::string& bytes) const {
    return DecodeAll(folder_.Write("song.wav", bytes));
  }

 private:
  AudioFolder folder_;
  std::vector<float> samples_;
  std::string bytes_;
};

TEST_CASE("Case 33: a WAV whose length field is 0, or larger than the file, is read to its end") {
  const Wav wav;
  for (uint32_t length : {0U, 0x7FFFFFFFU, 0xFFFFFFFFU, 0xFFFFFFF0U}) {
    for (bool riff_too : {false, true}) {
      CAPTURE(length, riff_too);
      std::string bytes = Patched(wav.bytes(), kDataLengthAt, Le32(length));
      if (riff_too) bytes = Patched(bytes, kRiffLengthAt, Le32(length));
      CHECK(Difference(wav.Decode(bytes).value().samples, wav.samples()) == "");
    }
  }
}

TEST_CASE("Case 33: a WAV cut off half-way gives what is there") {
  const Wav wav;
  const Decoded decoded = wav.Decode(wav.bytes().substr(0, kHeader + 4 * 1'000 + 3)).value();
  CHECK(Difference(decoded.samples, std::vector<float>(wav.samples().begin(),
                                                       wav.samples().begin() + 2 * 1'000)) == "");
}

TEST_CASE("Case 33: a WAV header and nothing else has no audio") {
  const Wav wav;
  const std::string sentence = "EMPTY_FILE: The file holds a header but no audio. Choose another.";
  CHECK(Refusal(wav.Decode(wav.bytes().substr(0, kHeader)).status()) == sentence);
  const std::string empty =
      Patched(wav.bytes().substr(0, kHeader), kDataLengthAt, std::string(4, '\0'));
  CHECK(Refusal(wav.Decode(empty).status()) == sentence);
  // A length of 0 that is true: other chunks follow.
  CHECK(Refusal(wav.Decode(empty + "LIST" + Le32(4) + "INFO").status()) == sentence);
}

TEST_CASE("a chunk behind the audio is not taken for audio") {
  const Wav wav;
  CHECK(Difference(wav.Decode(wav.bytes() + "LIST" + Le32(4) + "INFO").value().samples,
                   wav.samples()) == "");
}

TEST_CASE("a chunk before the audio does not hide a lost length") {
  const Wav wav;
  const std::string bytes = wav.bytes().substr(0, 36) + "JUNK" + Le32(5) + "12345" +
                            std::string(1, '\0') + "data" + Le32(0) + wav.bytes().substr(kHeader);
  CHECK(Difference(wav.Decode(bytes).value().samples, wav.samples()) == "");
}

TEST_CASE("Case 32: another codec inside a WAV is named as such, not called corrupt") {
  const Wav wav;
  CHECK(
      Refusal(wav.Decode(Patched(wav.bytes(), kFormatTagAt, std::string("\xFF\0", 2))).status()) ==
      "NO_DECODER: This is a WAV file with another codec inside (number 0x00FF), which cannot be "
      "decoded here. Convert it to WAV, FLAC, AIFF, Ogg or MP3 first.");
}

TEST_CASE("MP3 inside a WAV is decoded to its end") {
  const AudioFolder folder;
  const int mp3_format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
  const std::string mp3 =
      ReadBytes(folder.Write("a.mp3", mp3_format, 44'100, 2, Noise(2 * 44'100)));
  const std::string fmt = std::string("\x55\0\x02\0\x44\xAC\0\0\x80\x3E\0\0\x01\0\0\0", 16);
  const std::string path = folder.Write(
      "mp3.wav", "RIFF" + Le32(static_cast<uint32_t>(36 + mp3.size())) + "WAVEfmt " + Le32(16) +
                     fmt + "data" + Le32(static_cast<uint32_t>(mp3.size())) + mp3);
  const Decoded decoded = DecodeAll(path).value();
  CHECK(decoded.format.container == "WAV");
  CHECK(decoded.format.codec == "MP3");
  CHECK(Difference(decoded.samples, DecodeAll(folder.Path("a.mp3")).value().samples) == "");
}

TEST_CASE("A-law, mu-law and ADPCM are decoded") {
  const AudioFolder folder;
  for (int codec : {SF_FORMAT_ALAW, SF_FORMAT_ULAW, SF_FORMAT_IMA_ADPCM, SF_FORMAT_MS_ADPCM}) {
    CAPTURE(codec);
    const std::string path =
        folder.Write("old.wav", SF_FORMAT_WAV | codec, 22'050, 1, Sine(8'000, 1, 440, 22'050));
    const Decoded decoded = DecodeAll(path).value();
    CHECK(decoded.frames() >= 8'000);
    CHECK(decoded.format.sample_format == SampleFormat::kS16);
    CHECK(Difference(decoded.samples, SndfileDecode(path)) == "");
  }
}

}  // namespace
}  // namespace unbraid::audio
