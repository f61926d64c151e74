#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "tests/component/decode/ffmpeg_fixture.h"
#include "tests/support/child_process.h"

// Files that the command `ffmpeg` has made, decoded in the child.
namespace unbraid::decode {
namespace {

// Where `got` correlates best with `wanted` within +-`most` samples of one channel.
int64_t LagOf(const std::vector<float>& got, const std::vector<float>& wanted, int64_t most) {
  int64_t best = 0;
  double highest = -1;
  const auto count = static_cast<int64_t>(std::min(got.size(), wanted.size()));
  for (int64_t lag = -most; lag <= most; ++lag) {
    double sum = 0;
    for (int64_t i = most; i < std::min<int64_t>(count, 20'000) - most; ++i) {
      sum += static_cast<double>(got[static_cast<size_t>(i + lag)]) *
             static_cast<double>(wanted[static_cast<size_t>(i)]);
    }
    if (sum > highest) {
      highest = sum;
      best = lag;
    }
  }
  return best;
}

TEST_CASE_METHOD(FfmpegTest, "Case 2: lossless codecs give the samples that went in") {
  struct Row {
    const char* file;
    const char* codec;
    const char* container;
    const char* named;
  };
  const auto row = GENERATE(
      Row{"x.m4a", "alac", "MP4", "ALAC"}, Row{"x.wv", "wavpack", "WAVPACK", "WAVPACK"},
      Row{"x.tta", "tta", "TTA", "TTA"}, Row{"x.oga", "flac", "OGG", "FLAC"},
      Row{"x.mkv", "flac", "MATROSKA", "FLAC"}, Row{"x.avi", "pcm_s16le", "AVI", "PCM_S16LE"});
  const int64_t frames = GENERATE(1, 999, 100'003);
  CAPTURE(row.file, frames);
  const std::vector<float> samples = audio::Noise(2 * frames);
  const std::string path = Encode(row.file, samples, 44'100, 2, {"-c:a", row.codec});
  const auto decoded = Decode(path);
  REQUIRE(decoded.status() == absl::OkStatus());
  CHECK(audio::Difference(*decoded, audio::SndfileDecode(folder_.Path("source.wav"))) == "");
  CHECK(format().container == row.container);
  CHECK(format().codec == row.named);
  CHECK(format().sample_format == audio::SampleFormat::kS16);
}

TEST_CASE_METHOD(FfmpegTest, "Case 2: AAC in MP4 has the length and the start of the song") {
  const int64_t frames = GENERATE(100, 1'000, 44'100, 100'003);
  const int rate_hz = GENERATE(44'100, 48'000);
  CAPTURE(frames, rate_hz);
  const std::vector<float> samples = audio::Noise(frames);
  const auto decoded =
      Decode(Encode("x.m4a", samples, rate_hz, 1, {"-c:a", "aac", "-b:a", "128k"}));
  REQUIRE(decoded.status() == absl::OkStatus());
  CHECK(static_cast<int64_t>(decoded->size()) == frames);
  CHECK(format().channels == 1);
  CHECK(format().codec == "AAC");
  CHECK(format().sample_format == audio::SampleFormat::kF32);
  if (frames > 40'000) CHECK(LagOf(*decoded, samples, 2'000) == 0);
}

TEST_CASE_METHOD(FfmpegTest,
                 "an MP4 that was cut by its edit list is as long as its editor wanted") {
  const std::string whole = Encode("whole.m4a", audio::Noise(200'000), 44'100, 1, {"-c:a", "aac"});
  const auto output =
      test_support::RunToEnd({{"ffmpeg", "-nostdin", "-v", "error", "-y", "-i", whole, "-t", "1.5",
                               "-c", "copy", folder_.Path("cut.m4a")},
                              {},
                              ""},
                             absl::Seconds(60));
  REQUIRE(output.ok());
  const auto decoded = Decode(folder_.Path("cut.m4a"));
  REQUIRE(decoded.ok());
  // The editor cuts at a packet of 1024 frames.
  CHECK(std::abs(static_cast<double>(decoded->size()) - 66'150) <= 1'024);
}

TEST_CASE_METHOD(FfmpegTest, "Opus in WebM has the length and the start of the song") {
  const std::vector<float> samples = audio::Noise(100'003);
  const auto decoded = Decode(Encode("x.webm", samples, 48'000, 1, {"-c:a", "libopus"}));
  REQUIRE(decoded.status() == absl::OkStatus());
  CHECK(decoded->size() == 100'003);
  CHECK(LagOf(*decoded, samples, 2'000) == 0);
}

TEST_CASE_METHOD(FfmpegTest, "the sound of a video is taken, and its picture is not looked at") {
  const std::vector<float> samples = audio::Noise(2 * 44'100);
  const auto decoded =
      Decode(Encode("x.mp4", samples, 44'100, 2,
                    {"-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1", "-map", "0:a",
                     "-map", "1:v", "-c:v", "mpeg4", "-c:a", "aac"}));
  REQUIRE(decoded.status() == absl::OkStatus());
  CHECK(decoded->size() == 2 * 44'100);
  CHECK(format().container == "MP4");
}

TEST_CASE_METHOD(FfmpegTest, "Case 11: channels of a film have their places") {
  const auto decoded =
      Decode(Encode("x.ac3", audio::Noise(6 * 48'000), 48'000, 6, {"-c:a", "ac3"}));
  REQUIRE(decoded.status() == absl::OkStatus());
  CHECK(format().codec == "AC3");
  CHECK(decoder_->speakers() == audio::UsualSpeakers(6));
}

TEST_CASE_METHOD(FfmpegTest, "raw streams are given as they decode") {
  const auto row = GENERATE(std::make_pair("x.aac", "AAC"), std::make_pair("x.ts", "MPEGTS"),
                            std::make_pair("x.wma", "ASF"), std::make_pair("x.flv", "FLV"));
  CAPTURE(row.first);
  const std::string name = row.first;
  const auto decoded = Decode(Encode(name, audio::Noise(2 * 88'200), 44'100, 2,
                                     {"-c:a", name == "x.wma" ? "wmav2" : "aac"}));
  REQUIRE(decoded.status() == absl::OkStatus());
  CHECK(format().container == row.second);
  CHECK(std::abs(static_cast<double>(decoded->size()) / 2 - 88'200) <= 4'096);
}

TEST_CASE_METHOD(FfmpegTest, "tags of an MP4 are read") {
  const auto decoded = Decode(Encode("x.m4a", audio::Noise(4'000), 44'100, 1,
                                     {"-c:a", "alac", "-metadata", "title=絆", "-metadata",
                                      "artist=ó ű", "-metadata", "album=A"}));
  REQUIRE(decoded.ok());
  CHECK(decoder_->tags().title == "絆");
  CHECK(decoder_->tags().artist == "ó ű");
  CHECK(decoder_->tags().album == "A");
}

TEST_CASE_METHOD(FfmpegTest, "an iTunes tag that lies about the length is not believed") {
  for (const char* frames : {"00000000000003E8", "00000000003F31F6"}) {
    CAPTURE(frames);
    const std::string tag = std::string(" 00000000 00000400 00000000 ") + frames + " 00000000";
    const std::string path =
        Encode("x.m4a", audio::Noise(100'003), 44'100, 1,
               {"-c:a", "aac", "-movflags", "use_metadata_tags", "-metadata", "iTunSMPB=" + tag});
    REQUIRE(audio::ReadBytes(path).find(tag) != std::string::npos);
    const auto decoded = Decode(path);
    REQUIRE(decoded.status() == absl::OkStatus());
    CHECK(decoded->size() == 100'003);
  }
}

TEST_CASE_METHOD(FfmpegTest, "what stands behind an ID3v2 tag is decoded") {
  struct Row {
    const char* file;
    const char* codec;
    const char* container;
  };
  const auto row =
      GENERATE(Row{"x.tta", "tta", "TTA"}, Row{"x.wv", "wavpack", "WAVPACK"},
               Row{"x.ac3", "ac3", "AC3"}, Row{"x.m4a", "alac", "MP4"}, Row{"x.aac", "aac", "AAC"},
               Row{"x.mkv", "flac", "MATROSKA"}, Row{"x.ts", "aac", "MPEGTS"});
  CAPTURE(row.file);
  const std::string path = Encode(row.file, audio::Noise(2 * 48'000), 48'000, 2,
                                  {"-c:a", row.codec, "-movflags", "+faststart"});
  const auto alone = Decode(path);
  REQUIRE(alone.status() == absl::OkStatus());
  const std::string title = std::string("TIT2\0\0\0\x05\0\0\3Song", 15);
  const std::string tag = std::string("ID3\x04\0\0\0\0\0\x0F", 10) + title;
  const auto behind = Decode(folder_.Write("tagged", tag + audio::ReadBytes(path)));
  REQUIRE(behind.status() == absl::OkStatus());
  CHECK(format().container == row.container);
  CHECK(audio::Difference(*behind, *alone) == "");
}

TEST_CASE_METHOD(FfmpegTest, "a video without sound has none") {
  const auto output = test_support::RunToEnd(
      {{"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
        "testsrc=size=64x64:rate=10:duration=1", "-c:v", "mpeg4", folder_.Path("mute.mp4")},
       {},
       ""},
      absl::Seconds(60));
  REQUIRE(output.ok());
  CHECK(base::ReasonOf(Decode(folder_.Path("mute.mp4")).status()) == "EMPTY_FILE");
}

TEST_CASE_METHOD(FfmpegTest, "a playlist is no audio, whatever it names") {
  const std::string secret =
      folder_.Write("secret.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44'100, 1, audio::Noise(1'000));
  for (const std::string& list :
       {"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + secret + "\n",
        "ffconcat version 1.0\nfile " + secret + "\n"}) {
    CHECK(base::ReasonOf(Decode(folder_.Write("list.mp3", list)).status()) == "UNKNOWN_FORMAT");
  }
}

TEST_CASE_METHOD(FfmpegTest, "a codec whose parameters are refused is a damaged file") {
  const std::string path = Encode("x.m4a", audio::Noise(4096), 44100, 1, {"-c:a", "alac"});
  std::string content = *store::ReadSmallFile(path);
  // The rate in ALAC's own header becomes negative.
  content[content.rfind("alac") + 28] = '\xFF';
  const absl::Status status = Decode(folder_.Write("damaged", content)).status();
  CHECK(base::ReasonOf(status) == "CORRUPT_AUDIO");
  CHECK(status.message() ==
        "The MP4 file cannot be decoded: Invalid argument. Get another copy of the file.");
}

}  // namespace
}  // namespace unbraid::decode
