#include "services/common/audio/ogg_pages.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/match.h"
#include "services/common/audio/frame_source.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

constexpr size_t kFixedHeader = 27;
constexpr size_t kFlagsAt = 5;
constexpr size_t kSegmentsAt = 26;
constexpr size_t kMaxSegments = 255;
constexpr uint8_t kFirstPage = 2;
constexpr absl::string_view kCapture = "OggS";

absl::Status CutOff() {
  return CorruptAudio("The Ogg file is cut off: its last page is not whole.");
}

absl::Status Chained() {
  return base::Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_AUDIO",
                     "The Ogg file holds several recordings one after the other. Split it, or "
                     "convert it to FLAC or WAV first.");
}

}  // namespace

std::string ForeignInOgg(absl::string_view head) {
  if (head.size() < kFixedHeader) return "";
  const size_t packet_at = kFixedHeader + static_cast<uint8_t>(head[kSegmentsAt]);
  const absl::string_view packet = head.substr(std::min(packet_at, head.size()));
  if (absl::StartsWith(packet,
                       "\x7F"
                       "FLAC"))
    return "FLAC inside an Ogg file";
  if (absl::StartsWith(packet, "Speex   ")) return "a Speex file";
  if (absl::StartsWith(packet, "\x80theora")) return "an Ogg video";
  return "";
}

absl::Status CheckOggPages(const store::File& file) {
  UNBRAID_ASSIGN_OR_RETURN(const int64_t end, file.Size());
  bool in_stream = false;
  for (int64_t at = 0; at < end;) {
    std::array<char, kFixedHeader + kMaxSegments> bytes{};
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got,
                             file.ReadAt(at, bytes.data(), static_cast<int64_t>(bytes.size())));
    const absl::string_view page(bytes.data(), static_cast<size_t>(got));
    // Something else follows the audio, or a place is damaged, which decoding will tell.
    if (!absl::StartsWith(page, kCapture.substr(0, page.size()))) break;
    if (page.size() < kFixedHeader) return CutOff();
    const size_t segments = static_cast<uint8_t>(page[kSegmentsAt]);
    if (page.size() < kFixedHeader + segments) return CutOff();
    const bool first = (static_cast<uint8_t>(page[kFlagsAt]) & kFirstPage) != 0;
    if (first && in_stream) return Chained();
    in_stream = in_stream || !first;
    at += static_cast<int64_t>(kFixedHeader + segments);
    for (size_t i = 0; i < segments; ++i) at += static_cast<uint8_t>(page[kFixedHeader + i]);
    if (at > end) return CutOff();
  }
  return absl::OkStatus();
}

}  // namespace unbraid::audio
