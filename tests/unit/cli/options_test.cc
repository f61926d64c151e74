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

TEST_CASE("wrong usage ends with status 2") {
  Options options;
  CHECK(Parse({"unbraid"}, &options) == 2);
  CHECK(Parse({"unbraid", "separate"}, &options) == 2);
  CHECK(Parse({"unbraid", "separate", "a.wav", "--format", "mp4"}, &options) == 2);
  CHECK(Parse({"unbraid", "separate", "a.wav", "--mix", "vocals"}, &options) == 2);
  CHECK(Parse({"unbraid", "list", "songs"}, &options) == 2);
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
