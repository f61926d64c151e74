#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "services/common/base/status.h"
#include "tests/component/decode/ffmpeg_fixture.h"

// Files that FFmpeg's libraries by themselves would take for whole ones.
namespace unbraid::decode {
namespace {

TEST_CASE_METHOD(FfmpegTest, "Case 33: a cut-off MP4 is corrupt") {
  const std::string path =
      Encode("x.m4a", audio::Noise(200'000), 44'100, 1, {"-c:a", "aac", "-movflags", "+faststart"});
  const std::string bytes = audio::ReadBytes(path);
  const auto status = Decode(folder_.Write("cut.m4a", bytes.substr(0, bytes.size() / 2))).status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(base::ReasonOf(status) == "CORRUPT_AUDIO");
}

TEST_CASE_METHOD(FfmpegTest, "Case 33: a file with times is corrupt when it ends before its time") {
  struct Row {
    const char* file;
    std::vector<std::string> options;
  };
  const auto row = GENERATE(Row{"x.webm", {"-c:a", "libopus"}}, Row{"x.mka", {"-c:a", "flac"}},
                            Row{"x.wma", {"-c:a", "wmav2"}},
                            Row{"x.mkv",
                                {"-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=9",
                                 "-map", "0:a", "-map", "1:v", "-c:v", "mpeg4", "-c:a", "aac"}});
  CAPTURE(row.file);
  const std::string path = Encode(row.file, audio::Noise(2 * 48'000 * 6), 48'000, 2, row.options);
  const auto whole = Decode(path);
  REQUIRE(whole.status() == absl::OkStatus());
  CHECK(std::abs(static_cast<double>(whole->size()) / 2 - 288'000) <= 4'096);
  const std::string bytes = audio::ReadBytes(path);
  const auto status = Decode(folder_.Write("cut", bytes.substr(0, bytes.size() / 2))).status();
  CHECK(base::ReasonOf(status) == "CORRUPT_AUDIO");
  CHECK(status.message().find("the file is cut off, for it promises 6.") != std::string::npos);
  CHECK(status.message().find("(frame ") != std::string::npos);
}

TEST_CASE_METHOD(FfmpegTest, "a sound that is shorter than its picture is whole") {
  const std::string video =
      Encode("x.mkv", audio::Noise(48'000), 48'000, 1,
             {"-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=4", "-map", "0:a", "-map",
              "1:v", "-c:v", "mpeg4", "-c:a", "pcm_s16le"});
  std::string bytes = audio::ReadBytes(video);
  // With and without the tag that tells the sound's own length.
  CHECK(Decode(video).status() == absl::OkStatus());
  for (size_t at = 0; (at = bytes.find("DURATION", at)) != std::string::npos;) bytes[at] = 'X';
  const auto decoded = Decode(folder_.Write("untagged", bytes));
  REQUIRE(decoded.status() == absl::OkStatus());
  CHECK(decoded->size() == 48'000);
}

TEST_CASE_METHOD(FfmpegTest, "Case 33: FLAC in Ogg that was cut off is corrupt") {
  const std::string path = Encode("x.oga", audio::Noise(200'000), 44'100, 1, {"-c:a", "flac"});
  const std::string bytes = audio::ReadBytes(path);
  for (const size_t less : {size_t{1}, bytes.size() / 2}) {
    const auto status = Decode(folder_.Write("cut", bytes.substr(0, bytes.size() - less))).status();
    CHECK(status.message() ==
          "The Ogg file is cut off: its last page is not whole. Get another copy of the file.");
  }
}

}  // namespace
}  // namespace unbraid::decode
