#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "services/common/audio/decoder.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

constexpr int kFlac = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
constexpr char kAdvice[] = " Get another copy of the file.";

// Bytes of a FLAC file of three seconds.
std::string FlacBytes(const AudioFolder& folder) {
  return ReadBytes(folder.Write("whole.flac", kFlac, 44'100, 2, Noise(2 * 132'300)));
}

// The same without a total in STREAMINFO, as encoders leave it that write to a pipe.
std::string WithoutTotal(std::string flac) {
  constexpr size_t kTotalAt = 8 + 13;
  flac[kTotalAt] = static_cast<char>(flac[kTotalAt] & 0xF0);
  return Patched(std::move(flac), kTotalAt + 1, std::string(4, '\0'));
}

// Behind the metadata blocks: a byte whose highest bit marks the last one, three bytes of length.
size_t FirstFrameAt(const std::string& flac) {
  const auto byte = [&](size_t at) { return static_cast<size_t>(flac[at] & 0xFF); };
  size_t at = 4;
  for (bool last = false; !last;) {
    last = (byte(at) & 0x80) != 0;
    at += 4 + (byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3));
  }
  return at;
}

std::string RefusalOf(const AudioFolder& folder, const std::string& bytes) {
  return Refusal(DecodeAll(folder.Write("damaged", bytes)).status());
}

TEST_CASE("a FLAC file without a total is read to its end") {
  const AudioFolder folder;
  const std::string path = folder.Write("stream.flac", WithoutTotal(FlacBytes(folder)));
  CHECK(DecodeAll(path).value().frames() == 132'300);
}

TEST_CASE("Case 33: a FLAC file cut off anywhere is corrupt, and the place is told") {
  const AudioFolder folder;
  const std::string whole = FlacBytes(folder);
  for (const std::string& bytes : {whole, WithoutTotal(whole)}) {
    for (size_t eighth : {2U, 4U, 5U, 7U}) {
      CAPTURE(eighth);
      const std::string refusal = RefusalOf(folder, bytes.substr(0, bytes.size() * eighth / 8));
      CHECK(refusal.substr(0, 14) == "CORRUPT_AUDIO:");
      CHECK(refusal.find("(frame ") != std::string::npos);
      CHECK(refusal.find(kAdvice) != std::string::npos);
    }
  }
}

TEST_CASE("Case 33: a FLAC file cut between two frames is corrupt, since it promises more") {
  const AudioFolder folder;
  const std::string whole = FlacBytes(folder);
  // Every frame begins with the same three bytes; the first one comes after the metadata.
  const size_t cut = whole.find(whole.substr(FirstFrameAt(whole), 3), whole.size() / 2);
  REQUIRE(cut != std::string::npos);
  const std::string refusal = RefusalOf(folder, whole.substr(0, cut));
  CHECK(refusal.substr(0, 31) == "CORRUPT_AUDIO: The file ends at");
  CHECK(refusal.find("although it promises 3.000 s (frame 132300)") != std::string::npos);
}

TEST_CASE("Case 33: a FLAC file with a hole is corrupt") {
  const AudioFolder folder;
  const std::string whole = FlacBytes(folder);
  const std::string refusal =
      RefusalOf(folder, Patched(whole, whole.size() / 2, std::string(3'000, '\x55')));
  CHECK(refusal.substr(0, 33) == "CORRUPT_AUDIO: Decoding failed at");
}

TEST_CASE("Case 33: a FLAC header and nothing else") {
  const AudioFolder folder;
  constexpr size_t kHeader = 42;
  const std::string header = FlacBytes(folder).substr(0, kHeader);
  CHECK(RefusalOf(folder, header) ==
        std::string("CORRUPT_AUDIO: The file ends at 0.000 s (frame 0) although it promises 3.000 "
                    "s (frame 132300).") +
            kAdvice);
}

TEST_CASE("Case 33: half a header of any container is corrupt, not a crash") {
  const AudioFolder folder;
  for (int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_AIFF | SF_FORMAT_PCM_16,
                     SF_FORMAT_CAF | SF_FORMAT_PCM_16, SF_FORMAT_W64 | SF_FORMAT_PCM_16,
                     SF_FORMAT_RF64 | SF_FORMAT_PCM_16, kFlac, SF_FORMAT_OGG | SF_FORMAT_VORBIS}) {
    const std::string whole = ReadBytes(folder.Write("whole", format, 44'100, 2, Noise(2'000)));
    for (size_t size : {20U, 30U, 36U}) {
      CAPTURE(format, size);
      const std::string refusal = RefusalOf(folder, whole.substr(0, size));
      CHECK(refusal.substr(0, 14) == "CORRUPT_AUDIO:");
    }
  }
}

TEST_CASE("Case 33: zero bytes") {
  const AudioFolder folder;
  CHECK(RefusalOf(folder, "") == "EMPTY_FILE: The file is empty (0 bytes). Choose another.");
}

}  // namespace
}  // namespace unbraid::audio
