#include "services/common/decode/promised_end.h"

extern "C" {
#include <libavutil/dict.h>
#include <libavutil/mathematics.h>
#include <libavutil/parseutils.h>
}

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace unbraid::decode {
namespace {

absl::string_view NameOf(const AVFormatContext& context) { return context.iformat->name; }

uint64_t LittleEndian(absl::string_view bytes) {
  constexpr unsigned kByteBits = 8;
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;)
    value = value << kByteBits | static_cast<uint8_t>(bytes[i]);
  return value;
}

// What a Windows Media file that is shorter than its header says was long, in microseconds. The
// library believes nothing of a header that is wrong about the file's size.
std::optional<int64_t> LengthOfCutAsf(const store::File& file) {
  constexpr absl::string_view kProperties(
      "\xA1\xDC\xAB\x8C\x47\xA9\xCF\x11\x8E\xE4\0\xC0\x0C\x20\x53\x65", 16);
  constexpr size_t kSizeAt = 40;
  constexpr size_t kPlayAt = 64;     // in units of 100 ns, with the preroll
  constexpr size_t kPrerollAt = 80;  // in ms
  constexpr size_t kFlagsAt = 88;
  constexpr size_t kField = 8;
  constexpr uint64_t kMost = uint64_t{1} << 40;  // keeps what follows from overflowing
  std::array<char, 16'384> head{};
  const auto got = file.ReadAt(0, head.data(), static_cast<int64_t>(head.size()));
  const auto size = file.Size();
  if (!got.ok() || !size.ok()) return std::nullopt;
  absl::string_view object(head.data(), static_cast<size_t>(*got));
  object.remove_prefix(std::min(object.find(kProperties), object.size()));
  if (object.size() < kFlagsAt + kField) return std::nullopt;
  const auto field = [&](size_t at) { return LittleEndian(object.substr(at, kField)); };
  const bool broadcast = (object[kFlagsAt] & 1) != 0;
  if (broadcast || field(kSizeAt) <= static_cast<uint64_t>(*size)) return std::nullopt;
  if (field(kPlayAt) > kMost || field(kPrerollAt) > kMost) return std::nullopt;
  return static_cast<int64_t>(field(kPlayAt) / 10) - static_cast<int64_t>(field(kPrerollAt) * 1000);
}

// When the longest stream ends, by the container's own word.
std::optional<int64_t> ContainerEnd(const AVFormatContext& context, const store::File& file) {
  if (NameOf(context) != "matroska,webm" && NameOf(context) != "asf") return std::nullopt;
  if (context.duration > 0 && context.duration_estimation_method == AVFMT_DURATION_FROM_STREAM) {
    return context.duration;
  }
  return NameOf(context) == "asf" ? LengthOfCutAsf(file) : std::nullopt;
}

// Whether something else goes on in time: a picture that may be longer than the sound.
bool IsAlone(const AVFormatContext& context, int stream) {
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    const AVStream& other = *context.streams[i];
    const AVMediaType type = other.codecpar->codec_type;
    const bool timed = type == AVMEDIA_TYPE_VIDEO || type == AVMEDIA_TYPE_AUDIO ||
                       type == AVMEDIA_TYPE_SUBTITLE || type == AVMEDIA_TYPE_DATA;
    const bool cover = (other.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    if (static_cast<int>(i) != stream && timed && !cover) return false;
  }
  return true;
}

// What writers of Matroska note with each stream: its own length.
std::optional<int64_t> LengthTag(const AVStream& stream) {
  const AVDictionaryEntry* tag =
      av_dict_get(stream.metadata, "DURATION", nullptr, AV_DICT_IGNORE_SUFFIX);
  int64_t microseconds = 0;
  constexpr int kIsDuration = 1;
  const bool told = tag != nullptr && av_parse_time(&microseconds, tag->value, kIsDuration) >= 0;
  return told && microseconds > 0 ? std::make_optional(microseconds) : std::nullopt;
}

std::optional<int64_t> Promised(const AVFormatContext& context, int stream,
                                const store::File& file) {
  const std::optional<int64_t> end = ContainerEnd(context, file);
  if (!end.has_value()) return std::nullopt;
  const std::optional<int64_t> tag = LengthTag(*context.streams[stream]);
  if (tag.has_value()) return std::min(*tag, *end);
  return IsAlone(context, stream) ? end : std::nullopt;
}

double Seconds(int64_t microseconds) {
  return static_cast<double>(microseconds) / static_cast<double>(AV_TIME_BASE);
}

}  // namespace

PromisedEnd::PromisedEnd(const AVFormatContext& context, int stream, const store::File& file)
    : time_base_(context.streams[stream]->time_base), promised_(Promised(context, stream, file)) {}

void PromisedEnd::Note(const AVPacket& packet) {
  const int64_t begin = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
  // The times of a damaged file may be any.
  if (begin == AV_NOPTS_VALUE || packet.duration < 0 || packet.duration > INT32_MAX) return;
  const AVRational microsecond = {1, AV_TIME_BASE};
  const int64_t first = av_rescale_q(begin, time_base_, microsecond);
  const int64_t length = av_rescale_q(packet.duration, time_base_, microsecond);
  if (first < INT64_MAX - length) reached_ = std::max(reached_, first + length);
}

absl::Status PromisedEnd::CheckEnd() const {
  constexpr int64_t kTolerance = AV_TIME_BASE;
  if (!promised_.has_value() || *promised_ - kTolerance <= reached_) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("the file is cut off, for it promises %.3f s", Seconds(*promised_)));
}

}  // namespace unbraid::decode
