#include "services/common/audio/sniff.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::audio {
namespace {

constexpr int64_t kHeadBytes = 4096;
constexpr char kAdvice[] = "Convert it to WAV, FLAC, AIFF, Ogg or MP3 first.";

absl::string_view At(absl::string_view bytes, size_t offset, size_t size) {
  return offset < bytes.size() ? bytes.substr(offset, size) : absl::string_view();
}

// A known container that cannot be decoded here, or "".
std::string Undecodable(absl::string_view head) {
  if (At(head, 4, 4) == "ftyp") return "an MP4 or M4A file (AAC or ALAC)";
  if (absl::StartsWith(head, "\x30\x26\xB2\x75\x8E\x66\xCF\x11")) return "a Windows Media file";
  if (absl::StartsWith(head, "\x1A\x45\xDF\xA3")) return "a Matroska or WebM file";
  if (absl::StartsWith(head, "ADIF")) return "an AAC file";
  if (absl::StartsWith(head, "MAC ")) return "a Monkey's Audio file";
  if (absl::StartsWith(head, "wvpk")) return "a WavPack file";
  if (absl::StartsWith(head, "RIFF") && At(head, 8, 4) == "AVI ") return "an AVI file";
  // ADTS: twelve set bits and layer 0, which MPEG audio never has.
  if (head.size() > 1 && head[0] == '\xFF' &&
      (static_cast<unsigned char>(head[1]) & 0xF6) == 0xF0) {
    return "an AAC file";
  }
  return "";
}

// The sync word of MPEG audio with a layer, bit rate and sample rate that exist.
bool IsMpegFrame(absl::string_view bytes) {
  if (bytes.size() < 4) return false;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const bool sync = byte(0) == 0xFF && (byte(1) & 0xE0) == 0xE0;
  const bool version = (byte(1) & 0x18) != 0x08;
  const bool layer = (byte(1) & 0x06) != 0;
  const bool bit_rate = (byte(2) & 0xF0) != 0xF0;
  const bool sample_rate = (byte(2) & 0x0C) != 0x0C;
  return sync && version && layer && bit_rate && sample_rate;
}

std::string Decodable(absl::string_view head, absl::string_view after_tag) {
  if (absl::StartsWith(head, "RIFF") && At(head, 8, 4) == "WAVE") return "WAV";
  if (absl::StartsWith(head, "RF64") && At(head, 8, 4) == "WAVE") return "RF64";
  if (absl::StartsWith(head, "riff\x2E\x91\xCF\x11")) return "W64";
  if (absl::StartsWith(head, "FORM") && (At(head, 8, 4) == "AIFF" || At(head, 8, 4) == "AIFC")) {
    return "AIFF";
  }
  if (absl::StartsWith(head, "caff")) return "CAF";
  if (absl::StartsWith(head, ".snd") || absl::StartsWith(head, "dns.")) return "AU";
  if (absl::StartsWith(after_tag, "fLaC")) return "FLAC";
  if (absl::StartsWith(head, "OggS")) return "OGG";
  if (IsMpegFrame(after_tag)) return "MP3";
  return "";
}

}  // namespace

int64_t Id3TagBytes(absl::string_view head) {
  constexpr size_t kHeader = 10;
  if (!absl::StartsWith(head, "ID3") || head.size() < kHeader) return 0;
  int64_t size = 0;
  for (size_t i = 6; i < kHeader; ++i)
    size = (size << 7) | (static_cast<unsigned char>(head[i]) & 0x7F);
  return size + static_cast<int64_t>(kHeader);
}

absl::StatusOr<std::string> SniffBytes(absl::string_view head, absl::string_view after_tag) {
  if (head.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument, "EMPTY_FILE",
                       "The file is empty (0 bytes). Choose another.");
  }
  const std::string known = Undecodable(head);
  if (!known.empty()) {
    return base::Error(
        absl::StatusCode::kInvalidArgument, "NO_DECODER",
        absl::StrCat("This is ", known, ", which cannot be decoded here. ", kAdvice));
  }
  std::string container = Decodable(head, after_tag);
  if (!container.empty()) return container;
  return base::Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_FORMAT",
                     absl::StrCat("The file's content is no known audio format. ", kAdvice));
}

absl::StatusOr<std::string> SniffFile(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(const store::File file,
                           store::File::Open(path, store::File::Mode::kRead));
  std::string head(kHeadBytes, '\0');
  UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file.ReadAt(0, head.data(), kHeadBytes));
  head.resize(static_cast<size_t>(got));
  const int64_t tag = Id3TagBytes(head);
  if (tag == 0) return SniffBytes(head, head);
  std::string after(kHeadBytes, '\0');
  UNBRAID_ASSIGN_OR_RETURN(const int64_t rest, file.ReadAt(tag, after.data(), kHeadBytes));
  after.resize(static_cast<size_t>(rest));
  // Some taggers pad their tag beyond its declared size.
  after.erase(0, std::min(after.find_first_not_of('\0'), after.size()));
  return SniffBytes(head, after);
}

}  // namespace unbraid::audio
