#include "services/common/audio/sniff.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "services/common/audio/frame_source.h"
#include "services/common/audio/mpeg_header.h"
#include "services/common/audio/ogg_pages.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::audio {
namespace {

// Holds several frames of MPEG audio of any kind.
constexpr int64_t kHeadBytes = 16'384;

// Bytes at an offset from the start of a file that tell what it is.
struct Magic {
  size_t offset;
  absl::string_view bytes;
  const char* what;
};

constexpr Magic kUndecodable[] = {
    {4, "ftyp", "an MP4, M4A or QuickTime file (AAC or ALAC)"},
    {4, "moov", "a QuickTime file"},
    {4, "mdat", "a QuickTime file"},
    {4, "wide", "a QuickTime file"},
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11", "a Windows Media file"},
    {0, "\x1A\x45\xDF\xA3", "a Matroska or WebM file"},
    {0, "ADIF", "an AAC file"},
    {0, "MAC ", "a Monkey's Audio file"},
    {0, "wvpk", "a WavPack file"},
    {0, "TTA1", "a True Audio file"},
    {0, "MPCK", "a Musepack file"},
    {0, "MP+", "a Musepack file"},
    {0, "DSD ", "a DSD file"},
    {0, "FRM8", "a DSD file"},
    {0, "#!AMR", "an AMR file"},
    {0, ".RMF", "a RealMedia file"},
    {0, "MThd", "a MIDI file, which holds notes and no sound"},
    {0, "FLV\x01", "a Flash video"},
    {0, "\x0B\x77", "an AC-3 file"},
    {8, "AVI ", "an AVI file"},
};

bool Has(absl::string_view bytes, size_t offset, absl::string_view magic) {
  return offset <= bytes.size() && absl::StartsWith(bytes.substr(offset), magic);
}

// A known format that cannot be decoded here, with its article, or "".
std::string Undecodable(const FileHead& head) {
  for (const Magic& magic : kUndecodable) {
    if (Has(head.bytes, magic.offset, magic.bytes)) return magic.what;
  }
  if (Has(head.bytes, 0, "OggS")) return UndecodableInOgg(head.bytes);
  // ADTS: twelve set bits and layer 0, which MPEG audio never has.
  const absl::string_view audio = head.after_tag;
  if (Has(audio, 0, "\xFF") && audio.size() > 1 &&
      (static_cast<unsigned char>(audio[1]) & 0xF6) == 0xF0) {
    return "an AAC file";
  }
  return "";
}

std::string Decodable(const FileHead& head) {
  const absl::string_view bytes = head.bytes;
  if ((Has(bytes, 0, "RIFF") || Has(bytes, 0, "RIFX")) && Has(bytes, 8, "WAVE")) return "WAV";
  if (Has(bytes, 0, "RF64") && Has(bytes, 8, "WAVE")) return "RF64";
  if (Has(bytes, 0, "riff\x2E\x91\xCF\x11")) return "W64";
  if (Has(bytes, 0, "FORM") && (Has(bytes, 8, "AIFF") || Has(bytes, 8, "AIFC"))) return "AIFF";
  if (Has(bytes, 0, "caff")) return "CAF";
  if (Has(bytes, 0, ".snd") || Has(bytes, 0, "dns.")) return "AU";
  if (Has(head.after_tag, 0, "fLaC")) return "FLAC";
  if (Has(bytes, 0, "OggS")) return "OGG";
  if (FindMpegAudio(head.after_tag, head.whole).has_value()) return "MP3";
  return "";
}

}  // namespace

int64_t Id3TagBytes(absl::string_view head) {
  constexpr size_t kHeader = 10;
  if (!absl::StartsWith(head, "ID3") || head.size() < kHeader) return 0;
  int64_t size = 0;
  for (size_t i = 6; i < kHeader; ++i) {
    size = (size << 7) | (static_cast<unsigned char>(head[i]) & 0x7F);
  }
  return size + static_cast<int64_t>(kHeader);
}

absl::StatusOr<std::string> SniffHead(const FileHead& head) {
  if (head.bytes.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument, "EMPTY_FILE",
                       "The file is empty (0 bytes). Choose another.");
  }
  const std::string known = Undecodable(head);
  if (!known.empty()) return NoDecoder(known);
  std::string container = Decodable(head);
  if (!container.empty()) return container;
  return base::Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_FORMAT",
                     "The file's content is no known audio format. Convert it to WAV, FLAC, AIFF, "
                     "Ogg or MP3 first.");
}

absl::StatusOr<FileHead> ReadFileHead(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(const store::File file,
                           store::File::Open(path, store::File::Mode::kRead));
  FileHead head;
  head.bytes.resize(kHeadBytes);
  UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file.ReadAt(0, head.bytes.data(), kHeadBytes));
  head.bytes.resize(static_cast<size_t>(got));
  head.after_tag = head.bytes;
  head.whole = got < kHeadBytes;
  const int64_t tag = Id3TagBytes(head.bytes);
  if (tag == 0) return head;
  head.after_tag.resize(kHeadBytes);
  UNBRAID_ASSIGN_OR_RETURN(const int64_t rest, file.ReadAt(tag, head.after_tag.data(), kHeadBytes));
  head.after_tag.resize(static_cast<size_t>(rest));
  head.whole = rest < kHeadBytes;
  // Some taggers pad their tag beyond its declared size.
  head.after_tag.erase(0, std::min(head.after_tag.find_first_not_of('\0'), head.after_tag.size()));
  return head;
}

absl::StatusOr<std::string> SniffFile(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(const FileHead head, ReadFileHead(path));
  return SniffHead(head);
}

}  // namespace unbraid::audio
