#include "services/common/audio/wav_header.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

constexpr int64_t kFirstChunkAt = 12;
constexpr int64_t kChunkHeader = 8;
// No real file has as many chunks before its audio; a malicious one must not keep us busy.
constexpr int kMaxChunks = 1024;

constexpr int kExtensible = 0xFFFE;
constexpr int kMpeg = 0x50;
constexpr int kMpegLayer3 = 0x55;

struct Chunk {
  std::string id;  // empty at the end of the file
  int64_t size = 0;
};

uint32_t LittleEndian(const char* bytes, int count) {
  uint32_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  return value;
}

absl::StatusOr<Chunk> ReadChunk(const store::File& file, int64_t at) {
  std::array<char, kChunkHeader> bytes{};
  UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file.ReadAt(at, bytes.data(), kChunkHeader));
  if (got < kChunkHeader) return Chunk{};
  return Chunk{std::string(bytes.data(), 4), LittleEndian(bytes.data() + 4, 4)};
}

int64_t NextAt(int64_t at, const Chunk& chunk) {
  return at + kChunkHeader + chunk.size + chunk.size % 2;
}

absl::StatusOr<int> ReadFormatTag(const store::File& file, int64_t at) {
  constexpr int64_t kSubFormatAt = 24;
  std::array<char, kSubFormatAt + 2> bytes{};
  UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file.ReadAt(at + kChunkHeader, bytes.data(),
                                                          static_cast<int64_t>(bytes.size())));
  const auto tag = static_cast<int>(LittleEndian(bytes.data(), 2));
  if (tag != kExtensible || got < static_cast<int64_t>(bytes.size())) return tag;
  return static_cast<int>(LittleEndian(bytes.data() + kSubFormatAt, 2));
}

// Whether what stands from `at` to the end of the file is a row of chunks and nothing else.
absl::StatusOr<bool> IsRowOfChunks(const store::File& file, int64_t at, int64_t end) {
  for (int i = 0; i < kMaxChunks && at < end; ++i) {
    UNBRAID_ASSIGN_OR_RETURN(const Chunk chunk, ReadChunk(file, at));
    const bool name =
        !chunk.id.empty() && std::all_of(chunk.id.begin(), chunk.id.end(), [](char c) {
          return absl::ascii_isprint(static_cast<unsigned char>(c));
        });
    if (!name) return false;
    at = NextAt(at, chunk);
  }
  // The last one may lack its padding.
  return at == end || at == end + 1;
}

}  // namespace

bool WavHeader::IsMpeg() const { return format_tag == kMpeg || format_tag == kMpegLayer3; }

bool WavHeader::IsDecodable() const {
  // PCM, MS ADPCM, float, A-law, mu-law, IMA ADPCM, GSM 6.10, NMS ADPCM, G.721, and what has no
  // tag.
  constexpr std::array<int, 10> kTags = {0, 1, 2, 3, 6, 7, 0x11, 0x31, 0x38, 0x40};
  return std::find(kTags.begin(), kTags.end(), format_tag) != kTags.end();
}

absl::StatusOr<WavHeader> ReadWavHeader(const store::File& file) {
  WavHeader header;
  UNBRAID_ASSIGN_OR_RETURN(const int64_t end, file.Size());
  int64_t at = kFirstChunkAt;
  for (int i = 0; i < kMaxChunks; ++i) {
    UNBRAID_ASSIGN_OR_RETURN(const Chunk chunk, ReadChunk(file, at));
    if (chunk.id.empty()) break;
    if (chunk.id == "fmt ") {
      UNBRAID_ASSIGN_OR_RETURN(header.format_tag, ReadFormatTag(file, at));
    }
    if (chunk.id == "data") {
      if (chunk.size > 0) break;
      UNBRAID_ASSIGN_OR_RETURN(const bool nothing, IsRowOfChunks(file, at + kChunkHeader, end));
      if (!nothing) header.lost_length_at = at + 4;
      break;
    }
    at = NextAt(at, chunk);
  }
  return header;
}

}  // namespace unbraid::audio
