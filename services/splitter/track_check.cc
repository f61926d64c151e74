#include "services/splitter/track_check.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/common/audio/decoder.h"
#include "services/common/base/status.h"

namespace unbraid::splitter {
namespace {

constexpr int64_t kBlockFrames = 32'768;
constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr size_t kMaxNameBytes = 255;

absl::Status TooLong(absl::Duration limit) {
  const std::string minutes = absl::StrCat(absl::ToDoubleMinutes(limit));
  return base::Error(absl::StatusCode::kResourceExhausted, "TOO_LONG",
                     absl::StrCat("The track is longer than the limit of ", minutes,
                                  " minutes. Cut it into shorter files."),
                     {{"limit_minutes", minutes}});
}

absl::StatusOr<int64_t> CountFrames(audio::Decoder* decoder, absl::Duration max_duration,
                                    const std::function<bool()>& give_up) {
  const audio::TrackFormat& format = decoder->format();
  const double limit = absl::ToDoubleSeconds(max_duration) * format.rate_hz;
  std::vector<float> block(static_cast<size_t>(kBlockFrames * format.channels));
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, decoder->Read(block.data(), kBlockFrames));
    if (static_cast<double>(decoder->position()) > limit) return TooLong(max_duration);
    if (got == 0) return decoder->position();
    if (give_up()) return absl::CancelledError("the check was broken off");
  }
}

// Length of the well-formed UTF-8 sequence that `text` begins with, or 0.
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) > 0x9F;
  const bool too_large = lead == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

absl::StatusOr<v1::Track> CheckTrack(const std::string& path, absl::Duration max_duration,
                                     const std::function<bool()>& give_up) {
  UNBRAID_ASSIGN_OR_RETURN(const std::unique_ptr<audio::Decoder> decoder,
                           audio::Decoder::Open(path));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t frames, CountFrames(decoder.get(), max_duration, give_up));
  const audio::TrackFormat& format = decoder->format();
  v1::Track track;
  track.set_container(format.container);
  track.set_codec(format.codec);
  track.set_sample_format(static_cast<v1::SampleFormat>(format.sample_format));
  track.set_sample_rate_hz(format.rate_hz);
  track.set_source_channels(format.channels);
  track.set_channels(audio::StemChannels(format.channels));
  track.set_frames(frames);
  *track.mutable_duration() = ToDuration(frames, format.rate_hz);
  return track;
}

google::protobuf::Duration ToDuration(int64_t frames, int rate_hz) {
  google::protobuf::Duration duration;
  const int64_t rest = frames % rate_hz;
  int64_t nanos = (rest * kNanosPerSecond + rate_hz / 2) / rate_hz;
  duration.set_seconds(frames / rate_hz + nanos / kNanosPerSecond);
  duration.set_nanos(static_cast<int32_t>(nanos % kNanosPerSecond));
  return duration;
}

absl::Status CheckDisplayName(absl::string_view name) {
  if (name.size() <= kMaxNameBytes && IsUtf8(name)) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_NAME",
                     absl::StrCat("display_name must be UTF-8 of at most ", kMaxNameBytes,
                                  " bytes; this one has ", name.size(), "."));
}

}  // namespace unbraid::splitter
