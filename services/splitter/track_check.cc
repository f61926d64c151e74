#include "services/splitter/track_check.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/base/utf8.h"

namespace unbraid::splitter {
namespace {

constexpr int64_t kBlockFrames = 32'768;
constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr size_t kMaxNameBytes = 255;

absl::StatusOr<int64_t> CountFrames(audio::AudioReader* reader,
                                    const std::function<bool()>& give_up) {
  std::vector<float> block(static_cast<size_t>(kBlockFrames * reader->format().channels));
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, reader->Read(block.data(), kBlockFrames));
    if (got == 0) return reader->position();
    if (give_up()) return absl::CancelledError("the check was broken off");
  }
}

}  // namespace

absl::StatusOr<v1::Track> CheckTrack(const std::string& path, const audio::OpenAudio& open,
                                     const audio::DecodeOptions& options,
                                     const std::function<bool()>& give_up) {
  UNBRAID_ASSIGN_OR_RETURN(const std::unique_ptr<audio::AudioReader> reader, open(path, options));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t frames, CountFrames(reader.get(), give_up));
  const audio::TrackFormat& format = reader->format();
  v1::Track track;
  track.set_container(format.container);
  track.set_codec(format.codec);
  track.set_sample_format(static_cast<v1::SampleFormat>(format.sample_format));
  track.set_sample_rate_hz(format.rate_hz);
  track.set_source_channels(format.channels);
  track.set_channels(audio::StemChannels(format.channels));
  track.set_frames(frames);
  *track.mutable_duration() = ToDuration(frames, format.rate_hz);
  track.set_title(reader->tags().title);
  track.set_artist(reader->tags().artist);
  track.set_album(reader->tags().album);
  track.set_silenced_samples(reader->silenced_samples());
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
  if (name.size() <= kMaxNameBytes && base::IsUtf8(name)) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_NAME",
                     absl::StrCat("display_name must be UTF-8 of at most ", kMaxNameBytes,
                                  " bytes; this one has ", name.size(), "."));
}

}  // namespace unbraid::splitter
