#include "services/common/audio/sniff.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "services/common/audio/frame_source.h"
#include "services/common/audio/mpeg_header.h"
#include "services/common/audio/ogg_pages.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

// Holds several frames of MPEG audio of any kind.
constexpr int64_t kHeadBytes = 16'384;
// Taggers put theirs before the one that is there; so many are no music.
constexpr int kMostTags = 16;

// Bytes at an offset from the start of a file that tell what it is.
struct Magic {
  size_t offset;
  absl::string_view bytes;
  const char* container;  // null: nothing decodes it
  const char* what;
};

constexpr Magic kForeign[] = {
    {4, "ftyp", "MP4", "an MP4, M4A or QuickTime file (AAC or ALAC)"},
    {4, "moov", "MP4", "a QuickTime file"},
    {4, "mdat", "MP4", "a QuickTime file"},
    {4, "wide", "MP4", "a QuickTime file"},
    {4, "free", "MP4", "a QuickTime file"},
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11", "ASF", "a Windows Media file"},
    {0, "\x1A\x45\xDF\xA3", "MATROSKA", "a Matroska or WebM file"},
    {0, "MAC ", "APE", "a Monkey's Audio file"},
    {0, "wvpk", "WAVPACK", "a WavPack file"},
    {0, "TTA1", "TTA", "a True Audio file"},
    {0, "MPCK", "MUSEPACK", "a Musepack file"},
    {0, "MP+", "MUSEPACK", "a Musepack file"},
    // One bit at 2.8 MHz: more than any rate that can be separated.
    {0, "DSD ", nullptr, "a DSD file"},
    {0, "#!AMR", "AMR", "an AMR file"},
    {0, ".RMF", "REALMEDIA", "a RealMedia file"},
    {0, "FLV\x01", "FLV", "a Flash video"},
    {0, "\x0B\x77", "AC3", "an AC-3 file"},
    {8, "AVI ", "AVI", "an AVI file"},
    {0, absl::string_view("\0\0\x01\xBA", 4), "MPEG", "an MPEG video"},
    {0, "ADIF", nullptr, "an AAC file of the old ADIF kind"},
    {0, "FRM8", nullptr, "a DSD file"},
    {0, "MThd", nullptr, "a MIDI file, which holds notes and no sound"},
};

bool Has(absl::string_view bytes, size_t offset, absl::string_view magic) {
  return offset <= bytes.size() && absl::StartsWith(bytes.substr(offset), magic);
}

// Packets of 188 bytes, each with its mark.
bool IsTransportStream(absl::string_view bytes) {
  constexpr size_t kPacket = 188;
  constexpr size_t kPackets = 3;
  for (size_t i = 0; i < kPackets; ++i) {
    if (!Has(bytes, i * kPacket, "G")) return false;
  }
  return true;
}

// ADTS: twelve set bits and layer 0, which MPEG audio never has.
bool IsAdts(absl::string_view bytes) {
  return Has(bytes, 0, "\xFF") && bytes.size() > 1 &&
         (static_cast<unsigned char>(bytes[1]) & 0xF6) == 0xF0;
}

// Whether the container's readers take an ID3v2 tag before it, and the song's title from it.
bool ReadsTag(absl::string_view container) {
  return container == "MP3" || container == "FLAC" || container == "AAC" || container == "TTA";
}

int64_t BeginOf(absl::string_view container, const FileHead& head) {
  const bool reads = ReadsTag(container) && !(container == "FLAC" && head.odd_tags);
  return reads ? 0 : head.tag_bytes + head.padding;
}

// Of the zeros before it, the last ones may be padding of a tag or a length's first bytes. Sets
// `zeros` to how many are the container's.
const Magic* FindForeign(const FileHead& head, int64_t* zeros) {
  constexpr int64_t kMostZeros = 3;
  constexpr size_t kEnough = 16;
  for (*zeros = 0; *zeros <= std::min(head.padding, kMostZeros); ++*zeros) {
    const std::string bytes = std::string(static_cast<size_t>(*zeros), '\0') +  //
                              head.after_tag.substr(0, kEnough);
    for (const Magic& magic : kForeign) {
      if (Has(bytes, magic.offset, magic.bytes)) return &magic;
    }
  }
  return nullptr;
}

// Of a tag.
bool HasFooter(absl::string_view tag) {
  constexpr size_t kFlags = 5;
  constexpr unsigned char kFooterFlag = 0x10;
  return (static_cast<unsigned char>(tag[kFlags]) & kFooterFlag) != 0;
}

std::string OwnContainer(const FileHead& head) {
  const absl::string_view bytes = head.after_tag;
  if ((Has(bytes, 0, "RIFF") || Has(bytes, 0, "RIFX")) && Has(bytes, 8, "WAVE")) return "WAV";
  if (Has(bytes, 0, "RF64") && Has(bytes, 8, "WAVE")) return "RF64";
  if (Has(bytes, 0, "riff\x2E\x91\xCF\x11")) return "W64";
  if (Has(bytes, 0, "FORM") && (Has(bytes, 8, "AIFF") || Has(bytes, 8, "AIFC"))) return "AIFF";
  if (Has(bytes, 0, "caff")) return "CAF";
  if (Has(bytes, 0, ".snd") || Has(bytes, 0, "dns.")) return "AU";
  if (Has(bytes, 0, "fLaC")) return "FLAC";
  if (Has(bytes, 0, "OggS")) return "OGG";
  if (FindMpegAudio(bytes, head.whole).has_value()) return "MP3";
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
  return size + static_cast<int64_t>(HasFooter(head) ? 2 * kHeader : kHeader);
}

absl::StatusOr<Sniffed> SniffHead(const FileHead& head) {
  if (head.bytes.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument, "EMPTY_FILE",
                       "The file is empty (0 bytes). Choose another.");
  }
  int64_t zeros = 0;
  if (const Magic* magic = FindForeign(head, &zeros)) {
    if (magic->container == nullptr) return NoDecoder(magic->what);
    const int64_t begin = BeginOf(magic->container, head);
    return Sniffed{magic->container, magic->what, begin - zeros};
  }
  if (IsAdts(head.after_tag)) return Sniffed{"AAC", "an AAC file"};
  if (IsTransportStream(head.after_tag)) {
    return Sniffed{"MPEGTS", "an MPEG transport stream", BeginOf("MPEGTS", head)};
  }
  std::string container = OwnContainer(head);
  if (container.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_FORMAT",
                       "The file's content is no known audio format. Convert it to WAV, FLAC, "
                       "AIFF, Ogg or MP3 first.");
  }
  std::string foreign = container == "OGG" ? ForeignInOgg(head.after_tag) : "";
  const int64_t begin = BeginOf(container, head);
  return Sniffed{std::move(container), std::move(foreign), begin};
}

std::vector<std::string> OwnContainers() {
  return {"WAV", "RF64", "W64", "AIFF", "CAF", "AU", "FLAC", "OGG", "MP3"};
}

std::vector<std::string> ForeignContainers() {
  std::set<std::string> names = {"AAC", "MPEGTS"};
  for (const Magic& magic : kForeign) {
    if (magic.container != nullptr) names.insert(magic.container);
  }
  return {names.begin(), names.end()};
}

absl::StatusOr<FileHead> ReadFileHead(const store::File& file) {
  FileHead head;
  head.bytes.resize(kHeadBytes);
  UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file.ReadAt(0, head.bytes.data(), kHeadBytes));
  head.bytes.resize(static_cast<size_t>(got));
  head.after_tag = head.bytes;
  head.whole = got < kHeadBytes;
  for (int tags = 0; tags < kMostTags; ++tags) {
    const int64_t tag = Id3TagBytes(head.after_tag);
    if (tag == 0) break;
    const bool footer = HasFooter(head.after_tag);
    head.tag_bytes += head.padding + tag;
    head.after_tag.resize(kHeadBytes);
    UNBRAID_ASSIGN_OR_RETURN(const int64_t rest,
                             file.ReadAt(head.tag_bytes, head.after_tag.data(), kHeadBytes));
    head.after_tag.resize(static_cast<size_t>(rest));
    head.whole = rest < kHeadBytes;
    // Some taggers pad their tag beyond its declared size.
    const size_t zeros = std::min(head.after_tag.find_first_not_of('\0'), head.after_tag.size());
    head.after_tag.erase(0, zeros);
    head.padding = static_cast<int64_t>(zeros);
    head.odd_tags = tags > 0 || footer || zeros > 0;
  }
  return head;
}

absl::StatusOr<Sniffed> SniffFile(const store::File& file) {
  UNBRAID_ASSIGN_OR_RETURN(const FileHead head, ReadFileHead(file));
  return SniffHead(head);
}

}  // namespace unbraid::audio
