#include "services/common/audio/sniff.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "services/common/audio/decoder.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

using Row = std::pair<std::string, std::string>;

std::string Sniffed(const std::string& bytes) {
  const AudioFolder folder;
  const auto file = store::File::Open(folder.Write("song", bytes), store::File::Mode::kRead);
  REQUIRE(file.ok());
  const absl::StatusOr<audio::Sniffed> sniffed = SniffFile(*file);
  if (!sniffed.ok()) return Refusal(sniffed.status());
  return sniffed->foreign.empty() ? sniffed->container
                                  : sniffed->container + ": " + sniffed->foreign;
}

std::string Zeros(size_t count) { return std::string(count, '\0'); }

// Frames of MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes each.
std::string MpegFrames(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += "\xFF\xFB\x90\x64" + Zeros(413);
  return bytes;
}

std::string Id3Tag(size_t size) {
  const auto digit = [size](int shift) { return static_cast<char>((size >> shift) & 0x7F); };
  return std::string("ID3\x03\0\0", 6) + digit(21) + digit(14) + digit(7) + digit(0) + Zeros(size);
}

std::string OggPage(const std::string& packet) {
  return std::string("OggS\0\x02", 6) + Zeros(20) + '\x01' + static_cast<char>(packet.size()) +
         packet;
}

TEST_CASE("Case 32: every container on the list is known by its content") {
  for (const auto& [bytes, container] :
       std::vector<Row>{{"RIFF1234WAVEfmt ", "WAV"},
                        {"RIFX1234WAVEfmt ", "WAV"},
                        {"RF64\xFF\xFF\xFF\xFFWAVEds64", "RF64"},
                        {std::string("riff\x2E\x91\xCF\x11\xA5\xD6", 10), "W64"},
                        {"FORM1234AIFFCOMM", "AIFF"},
                        {"FORM1234AIFCFVER", "AIFF"},
                        {std::string("caff\0\x01\0\0desc", 12), "CAF"},
                        {".snd1234", "AU"},
                        {"fLaC1234", "FLAC"},
                        {Id3Tag(300) + "fLaC1234", "FLAC"},
                        {OggPage("\x01vorbis"), "OGG"},
                        {OggPage("OpusHead"), "OGG"},
                        {MpegFrames(3), "MP3"},
                        {MpegFrames(1), "MP3"},
                        {MpegFrames(1).substr(0, 200), "MP3"}}) {
    CAPTURE(container, bytes.substr(0, 16));
    CHECK(Sniffed(bytes) == container);
  }
}

TEST_CASE("Case 32: what needs another decoder is known by its content, and has a name") {
  const std::string packet = "G" + Zeros(187);
  for (const auto& [bytes, what] :
       std::vector<Row>{{Zeros(3) + "\x20"
                                    "ftypM4A ",
                         "MP4: an MP4, M4A or QuickTime file (AAC or ALAC)"},
                        {Zeros(3) + "\x20moov", "MP4: a QuickTime file"},
                        {"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "ASF: a Windows Media file"},
                        {"\x1A\x45\xDF\xA3", "MATROSKA: a Matroska or WebM file"},
                        {"\xFF\xF1\x50\x80\x2E\x7F\xFC", "AAC: an AAC file"},
                        {Id3Tag(100) + "\xFF\xF9\x50\x80\x2E\x7F\xFC", "AAC: an AAC file"},
                        {"wvpk1234", "WAVPACK: a WavPack file"},
                        {"MAC 1234", "APE: a Monkey's Audio file"},
                        {"RIFF1234AVI LIST", "AVI: an AVI file"},
                        {Zeros(2) + "\x01\xBA", "MPEG: an MPEG video"},
                        {packet + packet + packet, "MPEGTS: an MPEG transport stream"},
                        {OggPage("Speex   1.2"), "OGG: a Speex file"},
                        {OggPage("\x7F"
                                 "FLAC\x01"),
                         "OGG: FLAC inside an Ogg file"}}) {
    CHECK(Sniffed(bytes) == what);
  }
}

TEST_CASE("Case 32: what nothing decodes is refused by its name") {
  CHECK(Sniffed("MThd1234") ==
        "NO_DECODER: This is a MIDI file, which holds notes and no sound, which cannot be decoded "
        "here. Convert it to WAV, FLAC, AIFF, Ogg or MP3 first.");
  CHECK(Sniffed("ADIF1234").substr(0, 10) == "NO_DECODER");
  CHECK(Sniffed("DSD 1234").substr(0, 33) == "NO_DECODER: This is a DSD file, w");
  for (const std::string& name : ForeignContainers()) CHECK(name != "DSF");
}

TEST_CASE("what stands behind an ID3v2 tag is known like what stands alone") {
  const std::string packet = "G" + Zeros(187);
  for (const auto& [bytes, container] : std::vector<Row>{{"TTA1\1\0\2\0", "TTA"},
                                                         {"\x0B\x77\x12\x34", "AC3"},
                                                         {"wvpk1234", "WAVPACK"},
                                                         {Zeros(3) + "\x20"
                                                                     "ftypM4A ",
                                                          "MP4"},
                                                         {Zeros(2) + "\x01\xBA", "MPEG"},
                                                         {packet + packet + packet, "MPEGTS"},
                                                         {"MAC 1234", "APE"},
                                                         {"RIFF1234WAVEfmt ", "WAV"},
                                                         {"RIFF1234AVI LIST", "AVI"},
                                                         {"FORM1234AIFFCOMM", "AIFF"},
                                                         {OggPage("\x01vorbis"), "OGG"}}) {
    for (const size_t padding : {0U, 1U, 2'000U}) {
      CAPTURE(container, padding);
      const AudioFolder folder;
      const std::string before = Id3Tag(20'000) + Zeros(padding);
      const auto file = store::File::Open(folder.Write("song", before + bytes),  //
                                          store::File::Mode::kRead);
      const auto sniffed = SniffFile(*file);
      REQUIRE(sniffed.ok());
      CHECK(sniffed->container == container);
      // The reader of True Audio takes the title from the tag.
      const bool whole = container == "TTA";
      CHECK(sniffed->begin == (whole ? 0 : static_cast<int64_t>(before.size())));
    }
  }
  CHECK(Sniffed(Id3Tag(50) + "MThd1234").substr(0, 10) == "NO_DECODER");
}

TEST_CASE("Case 32: text named .mp3, in any encoding, is an unknown format") {
  std::string utf16 = "\xFF\xFE";
  for (int i = 0; i < 400; ++i) utf16 += std::string("a text ", 7).substr(i % 7, 1) + '\0';
  for (const std::string& bytes :
       {std::string("just some words\n"), utf16, utf16.substr(0, 100), std::string("x"),
        std::string("RIFF1234"), Id3Tag(20) + "no audio", Id3Tag(20)}) {
    CHECK(Sniffed(bytes) ==
          "UNKNOWN_FORMAT: The file's content is no known audio format. Convert it to WAV, FLAC, "
          "AIFF, Ogg or MP3 first.");
  }
}

TEST_CASE("Case 33: no bytes at all") {
  CHECK(Sniffed("") == "EMPTY_FILE: The file is empty (0 bytes). Choose another.");
}

TEST_CASE(
    "Case 34: MP3 is found behind a 5 MB cover picture, behind padding, behind half a frame") {
  CHECK(Sniffed(Id3Tag(5'000'000) + MpegFrames(3)) == "MP3");
  CHECK(Sniffed(Id3Tag(5'000) + Zeros(777) + MpegFrames(3)) == "MP3");
  CHECK(Sniffed(std::string(300, '\x55') + MpegFrames(4)) == "MP3");
}

TEST_CASE("music is found behind several tags, and behind one with a footer") {
  const std::string two = Id3Tag(50'000) + Zeros(99) + Id3Tag(70'000);
  CHECK(Sniffed(two + MpegFrames(3)) == "MP3");
  CHECK(Sniffed(two + "fLaC") == "FLAC");
  std::string with_footer = Id3Tag(30'000) + std::string("3DI\4\0\0\0\0\0\0", 10);
  with_footer[5] = '\x10';
  CHECK(Sniffed(with_footer + "fLaC") == "FLAC");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += Id3Tag(20);
  CHECK(Sniffed(many + "fLaC").substr(0, 14) == "UNKNOWN_FORMAT");
}

TEST_CASE("a sync word by chance is no MP3") {
  const std::string chance = "\xFF\xFB\x90\x64" + std::string(2000, 'x');
  CHECK(Sniffed(chance).substr(0, 14) == "UNKNOWN_FORMAT");
  CHECK(Sniffed(Id3Tag(50) + chance).substr(0, 14) == "UNKNOWN_FORMAT");
}

TEST_CASE("a file that is not there is not found") {
  const AudioFolder folder;
  CHECK(Decoder::Open(folder.Path("nothing")).status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace unbraid::audio
