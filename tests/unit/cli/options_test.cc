#include "clients/cli/options.h"

#include <catch2/catch.hpp>
#include <vector>

namespace unbraid::cli {
namespace {

std::optional<int> Parse(std::vector<std::string> words, Options* options) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data(), options);
}

TEST_CASE("reads a separate command with all its options, wherever the general ones stand") {
  Options options;
  REQUIRE_FALSE(Parse({"unbraid", "separate", "song.mp3", "-o", "out", "--model", "m", "--stems",
                       "vocals,drums", "--mix", "vocals=0", "--format", "flac", "--sample-format",
                       "s24", "--residual", "--json", "--gateway", "host:1"},
                      &options));
  CHECK(options.command == CommandKind::kSeparate);
  CHECK(options.file == "song.mp3");
  CHECK(options.output_folder == "out");
  CHECK(options.stems == std::vector<std::string>{"vocals", "drums"});
  CHECK(options.residual);
  CHECK(options.output.format == "flac");
  CHECK(options.output.sample_format == "s24");
  CHECK(options.json);
  CHECK(options.gateway == "host:1");
}

TEST_CASE("a residual is written only if asked for") {
  Options plain;
  REQUIRE_FALSE(Parse({"unbraid", "create", "tracks/1"}, &plain));
  CHECK_FALSE(plain.residual);
  Options asked;
  REQUIRE_FALSE(Parse({"unbraid", "create", "tracks/1", "--residual"}, &asked));
  CHECK(asked.residual);
}

TEST_CASE("passes are counted, and their seed makes no sense without them") {
  Options plain;
  REQUIRE_FALSE(Parse({"unbraid", "create", "tracks/1"}, &plain));
  CHECK(plain.shifts == 0);
  CHECK(plain.shift_seed == 0);
  Options asked;
  REQUIRE_FALSE(
      Parse({"unbraid", "separate", "a.wav", "--shifts", "4", "--shift-seed", "-9"}, &asked));
  CHECK(asked.shifts == 4);
  CHECK(asked.shift_seed == -9);
  Options wrong;
  CHECK(Parse({"unbraid", "create", "tracks/1", "--shift-seed", "1"}, &wrong) == 2);
  CHECK(Parse({"unbraid", "create", "tracks/1", "--shifts", "two"}, &wrong) == 2);
}

TEST_CASE("reads what is to be heard, and asks for standard output in words") {
  Options separate;
  REQUIRE_FALSE(Parse(
      {"unbraid", "separate", "a.wav", "--play-stem", "vocals", "--stdout", "--raw", "--no-files"},
      &separate));
  CHECK(separate.play_stem == "vocals");
  CHECK(separate.raw);
  CHECK(separate.no_files);
  Options download;
  REQUIRE_FALSE(
      Parse({"unbraid", "download", "separations/1", "--follow", "mix", "--stdout"}, &download));
  CHECK(download.play_stem == "mix");
  CHECK_FALSE(download.raw);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"separate", "a.wav", "--play-stem", "vocals"},
           {"separate", "a.wav", "--stdout"},
           {"separate", "a.wav", "--no-files"},
           {"separate", "a.wav", "--raw"},
           {"download", "separations/1"},
           {"download", "separations/1", "--follow", "mix"},
           {"download", "separations/1", "--follow", "mix", "--stdout", "-o", "out"},
           {"download", "separations/1", "--follow", "mix", "--stdout", "--stems", "mix"}}) {
    CAPTURE(words);
    std::vector<std::string> all = words;
    all.insert(all.begin(), "unbraid");
    Options options;
    CHECK(Parse(all, &options) == 2);
  }
}

TEST_CASE("what is said of the outputs becomes the request, in the protocol's words") {
  using O = v1::OutputFormat;
  Options options;
  REQUIRE_FALSE(Parse(
      {"unbraid", "create", "tracks/1", "--format", "mp3", "--clip", "clamp", "--quality", "0.25"},
      &options));
  const O mp3 = OutputFormatOf(options.output);
  CHECK(mp3.container() == O::CONTAINER_MP3);
  CHECK(mp3.sample_format() == v1::SAMPLE_FORMAT_SOURCE);
  CHECK(mp3.clip() == O::CLIP_POLICY_CLAMP);
  CHECK(mp3.dither() == O::DITHER_AUTO);
  CHECK(mp3.quality() == 0.25);
  CHECK(mp3.bitrate_kbps() == 0);
  Options others;
  REQUIRE_FALSE(Parse({"unbraid", "separate", "a.wav", "--format", "aiff", "--sample-format", "s32",
                       "--dither", "tpdf", "--clip", "none", "--bitrate", "96"},
                      &others));
  const O aiff = OutputFormatOf(others.output);
  CHECK(aiff.container() == O::CONTAINER_AIFF);
  CHECK(aiff.sample_format() == v1::SAMPLE_FORMAT_S32);
  CHECK(aiff.clip() == O::CLIP_POLICY_NONE);
  CHECK(aiff.dither() == O::DITHER_TPDF);
  CHECK_FALSE(aiff.has_quality());
  CHECK(aiff.bitrate_kbps() == 96);
}

TEST_CASE("without options the outputs are WAV with what the song has") {
  using O = v1::OutputFormat;
  Options options;
  REQUIRE_FALSE(Parse({"unbraid", "separate", "a.wav"}, &options));
  const O format = OutputFormatOf(options.output);
  CHECK(format.container() == O::CONTAINER_WAV);
  CHECK(format.clip() == O::CLIP_POLICY_GAIN);
  CHECK_FALSE(format.has_quality());
  for (const auto& [word, container] :
       {std::pair{"flac", O::CONTAINER_FLAC}, std::pair{"ogg", O::CONTAINER_OGG_VORBIS},
        std::pair{"opus", O::CONTAINER_OGG_OPUS}}) {
    options.output.format = word;
    CHECK(OutputFormatOf(options.output).container() == container);
  }
}

TEST_CASE("wrong usage ends with status 2") {
  Options options;
  CHECK(Parse({"unbraid"}, &options) == 2);
  CHECK(Parse({"unbraid", "separate"}, &options) == 2);
  CHECK(Parse({"unbraid", "separate", "a.wav", "--format", "mp4"}, &options) == 2);
  CHECK(Parse({"unbraid", "separate", "a.wav", "--mix", "vocals"}, &options) == 2);
  CHECK(Parse({"unbraid", "list", "songs"}, &options) == 2);
  for (const char* option : {"--sample-format", "--clip", "--dither", "--quality", "--bitrate"}) {
    CHECK(Parse({"unbraid", "separate", "a.wav", option, "loud"}, &options) == 2);
  }
  CHECK(Parse({"unbraid", "separate", "a.wav", "--quality", "1.1"}, &options) == 2);
  CHECK(Parse({"unbraid", "separate", "a.wav", "--bitrate", "0"}, &options) == 2);
}

TEST_CASE("list shows separations unless told otherwise") {
  Options options;
  REQUIRE_FALSE(Parse({"unbraid", "list"}, &options));
  CHECK(options.name == "separations");
  Options tracks;
  REQUIRE_FALSE(Parse({"unbraid", "list", "tracks"}, &tracks));
  CHECK(tracks.name == "tracks");
}

}  // namespace
}  // namespace unbraid::cli
