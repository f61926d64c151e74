#include "services/common/audio/tags.h"

#include <catch2/catch.hpp>
#include <string>

#include "services/common/audio/encoder.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

using C = OutputContainer;
using Fields = std::vector<std::pair<std::string, std::string>>;

const OutputTags kSong = {"絆ふぉーえばー", "Ó Ű", "Fünf", "vocals"};

void Write(const std::string& path, const OutputFormat& format, const OutputTags& tags,
           int64_t promised = 5'000) {
  const auto encoder = Encoder::Create(path, format, 44'100, 2, promised, tags);
  REQUIRE(encoder.ok());
  REQUIRE((*encoder)->Write(Noise(2 * 5'000).data(), 5'000, 1.0F).ok());
  REQUIRE((*encoder)->Finish().ok());
}

// As another program reads it; "-" where there is none.
std::string Read(const std::string& path, int field) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  REQUIRE(file != nullptr);
  const char* value = sf_get_string(file, field);
  std::string text = value == nullptr ? "-" : value;
  sf_close(file);
  return text;
}

TEST_CASE("the title names the song and the stem, and what is not known is left out") {
  CHECK(TagFields(kSong) == Fields{{"TITLE", "絆ふぉーえばー (vocals)"},
                                   {"ARTIST", "Ó Ű"},
                                   {"ALBUM", "Fünf"},
                                   {"COMMENT", "stem: vocals"}});
  CHECK(TagFields({"", "", "", "mix"}) == Fields{{"TITLE", "mix"}, {"COMMENT", "stem: mix"}});
  CHECK(TagFields({"Song", "", "", ""}) == Fields{{"TITLE", "Song"}});
  CHECK(TagFields({}).empty());
}

// Bytes that may be zero.
template <size_t size>
std::string Bytes(const char (&text)[size]) {
  return std::string(text, size - 1);
}

TEST_CASE("an ID3v2.4 tag is what its specification says") {
  const std::string header = Bytes("ID3\4\0\0\0\0\0\x26");
  const std::string title = Bytes("TIT2\0\0\0\4\0\0\3mix");
  const std::string comment = Bytes("COMM\0\0\0\x0E\0\0\3XXX\0stem: mix");
  CHECK(Id3Tag({"", "", "", "mix"}) == header + title + comment);
  CHECK(Id3Tag({}).empty());
}

TEST_CASE("lengths in an ID3 tag have seven bits a byte") {
  const std::string tag = Id3Tag({std::string(1'000, 'x'), "", "", ""});
  CHECK(tag.substr(6, 4) == Bytes("\0\0\x07\x73"));   // 1011 = 7 * 128 + 115
  CHECK(tag.substr(14, 4) == Bytes("\0\0\x07\x69"));  // 1001 = 7 * 128 + 105
}

TEST_CASE("Case 31: tags come back in every container that has them, whatever their script") {
  const AudioFolder folder;
  OutputFormat vorbis{C::kOggVorbis, SampleFormat::kNone};
  vorbis.quality = 0.5;
  OutputFormat opus{C::kOggOpus, SampleFormat::kNone};
  opus.bitrate_kbps = 64;
  for (const OutputFormat& format :
       {OutputFormat{C::kWav, SampleFormat::kS16}, OutputFormat{C::kWav, SampleFormat::kF32},
        OutputFormat{C::kFlac, SampleFormat::kS24}, OutputFormat{C::kAiff, SampleFormat::kS16},
        OutputFormat{C::kAiff, SampleFormat::kF32}, vorbis, opus}) {
    CAPTURE(static_cast<int>(format.container));
    const std::string path = folder.Path("out");
    Write(path, format, kSong);
    CHECK(Read(path, SF_STR_TITLE) == "絆ふぉーえばー (vocals)");
    CHECK(Read(path, SF_STR_ARTIST) == "Ó Ű");
    CHECK(Read(path, SF_STR_ALBUM) == (format.container == C::kAiff ? "-" : "Fünf"));
    CHECK(Read(path, SF_STR_COMMENT) == "stem: vocals");
    CHECK(DecodeAll(path)->frames() == (format.container == C::kOggOpus ? 5'442 : 5'000));
  }
}

TEST_CASE("tags of the longest kind disturb nothing") {
  const AudioFolder folder;
  const std::string longest(1'024, 'x');
  for (C container : {C::kWav, C::kFlac, C::kAiff, C::kOggVorbis, C::kMp3}) {
    CAPTURE(static_cast<int>(container));
    OutputFormat format{container, SampleFormat::kS16};
    if (format.IsLossy()) {
      format.sample_format = SampleFormat::kNone;
      format.quality = 0.5;
    }
    const std::string path = folder.Path("out");
    Write(path, format, {longest, longest + "a", longest, "s"});
    const Decoded decoded = DecodeAll(path).value();
    CHECK(decoded.frames() == 5'000);
    if (container == C::kMp3) continue;
    CHECK(Read(path, SF_STR_TITLE) == longest + " (s)");
    CHECK(Read(path, SF_STR_ARTIST) == longest + "a");
    CHECK(Read(path, SF_STR_COMMENT) == "stem: s");
  }
}

TEST_CASE("RF64 has its tags and its samples") {
  const AudioFolder folder;
  const std::string path = folder.Path("out");
  Write(path, {C::kWav, SampleFormat::kF32}, kSong, int64_t{600} << 20);
  const Decoded decoded = DecodeAll(path).value();
  CHECK(decoded.format.container == "RF64");
  CHECK(Difference(decoded.samples, Noise(2 * 5'000)) == "");
  CHECK(Read(path, SF_STR_TITLE) == "絆ふぉーえばー (vocals)");
  CHECK(Read(path, SF_STR_ALBUM) == "Fünf");
}

TEST_CASE("an MP3 file begins with its tag") {
  const AudioFolder folder;
  OutputFormat format{C::kMp3, SampleFormat::kNone};
  format.quality = 0.5;
  Write(folder.Path("out"), format, kSong);
  const std::string tag = Id3Tag(kSong);
  CHECK(ReadBytes(folder.Path("out")).substr(0, tag.size()) == tag);
  Write(folder.Path("out"), format, {});
  CHECK(ReadBytes(folder.Path("out")).substr(0, 2) == "\xFF\xFB");
}

}  // namespace
}  // namespace unbraid::audio
