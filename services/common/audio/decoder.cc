#include "services/common/audio/decoder.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "services/common/audio/frame_source.h"
#include "services/common/audio/interleave.h"
#include "services/common/audio/mpeg_source.h"
#include "services/common/audio/ogg_pages.h"
#include "services/common/audio/sndfile_source.h"
#include "services/common/audio/sniff.h"
#include "services/common/audio/wav_header.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::audio {
namespace {

constexpr char kNoDecoder[] = "NO_DECODER";

absl::Status CheckRange(const TrackFormat& format) {
  if (format.channels >= 1 && format.channels <= kMaxChannels && format.rate_hz >= kMinRateHz &&
      format.rate_hz <= kMaxRateHz) {
    return absl::OkStatus();
  }
  return base::Error(
      absl::StatusCode::kInvalidArgument, "UNSUPPORTED_AUDIO",
      absl::StrCat("The file has ", format.channels,
                   format.channels == 1 ? " channel" : " channels", " at ", format.rate_hz,
                   " Hz; 1 to ", kMaxChannels, " channels and ", kMinRateHz, " to ", kMaxRateHz,
                   " Hz can be separated. Convert it first."));
}

absl::StatusOr<std::unique_ptr<FrameSource>> OpenOwn(const SourceFile& file,
                                                     const std::string& container) {
  if (container == "MP3") return OpenMpeg(file, container);
  if (container == "OGG") UNBRAID_RETURN_IF_ERROR(CheckOggPages(*file));
  if (container != "WAV") return OpenWithSndfile(file, container, std::nullopt);
  UNBRAID_ASSIGN_OR_RETURN(const WavHeader header, ReadWavHeader(*file));
  if (header.IsMpeg()) return OpenMpeg(file, container);
  if (!header.IsDecodable()) {
    return NoDecoder(
        absl::StrFormat("a WAV file with another codec inside (number 0x%04X)", header.format_tag));
  }
  return OpenWithSndfile(file, container, header.lost_length_at);
}

absl::StatusOr<std::unique_ptr<FrameSource>> OpenSource(const SourceFile& file,
                                                        const Sniffed& sniffed,
                                                        const ForeignDecoder& foreign) {
  auto own =
      sniffed.foreign.empty() ? OpenOwn(file, sniffed.container) : NoDecoder(sniffed.foreign);
  if (own.ok() || base::ReasonOf(own.status()) != kNoDecoder || !foreign) return own;
  // It would take a file that is cut off for a whole one. Our own decoder has looked already.
  if (sniffed.container == "OGG" && !sniffed.foreign.empty()) {
    UNBRAID_RETURN_IF_ERROR(CheckOggPages(*file));
  }
  auto other = foreign(file, sniffed.container);
  // Nobody reads it: the first answer names the thing.
  if (!other.ok() && base::ReasonOf(other.status()) == kNoDecoder) return own;
  return other;
}

}  // namespace

absl::Status TrackTooLong(absl::Duration limit) {
  const std::string minutes = absl::StrCat(absl::ToDoubleMinutes(limit));
  return base::Error(absl::StatusCode::kResourceExhausted, "TOO_LONG",
                     absl::StrCat("The track is longer than the limit of ", minutes,
                                  " minutes. Cut it into shorter files."),
                     {{"limit_minutes", minutes}});
}

Decoder::Decoder(std::unique_ptr<FrameSource> source, const DecodeOptions& options)
    : source_(std::move(source)), options_(options) {}

Decoder::~Decoder() = default;

const TrackFormat& Decoder::format() const { return source_->info().format; }

const std::vector<Speaker>& Decoder::speakers() const { return source_->info().speakers; }

const Tags& Decoder::tags() const { return source_->info().tags; }

absl::StatusOr<std::unique_ptr<Decoder>> Decoder::Open(store::File file,
                                                       const DecodeOptions& options,
                                                       const ForeignDecoder& foreign) {
  UNBRAID_ASSIGN_OR_RETURN(const Sniffed sniffed, SniffFile(file));
  file.StartAt(sniffed.begin);
  UNBRAID_ASSIGN_OR_RETURN(
      std::unique_ptr<FrameSource> source,
      OpenSource(std::make_shared<const store::File>(std::move(file)), sniffed, foreign));
  UNBRAID_RETURN_IF_ERROR(CheckRange(source->info().format));
  return std::unique_ptr<Decoder>(new Decoder(std::move(source), options));
}

absl::StatusOr<std::unique_ptr<Decoder>> Decoder::Open(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(store::File file, store::File::Open(path, store::File::Mode::kRead));
  return Open(std::move(file), {}, nullptr);
}

absl::StatusOr<std::unique_ptr<AudioReader>> OpenInProcess(const std::string& path,
                                                           const DecodeOptions& options) {
  UNBRAID_ASSIGN_OR_RETURN(store::File file, store::File::Open(path, store::File::Mode::kRead));
  return Decoder::Open(std::move(file), options, nullptr);
}

absl::StatusOr<int64_t> Decoder::Read(float* interleaved, int64_t frames) {
  const absl::StatusOr<int64_t> got = source_->Read(interleaved, frames);
  if (!got.ok()) {
    if (!base::ReasonOf(got.status()).empty()) return got.status();
    const absl::string_view cause = absl::StripSuffix(got.status().message(), ".");
    return CorruptAudio(
        absl::StrCat("Decoding failed at ", PositionText(position_), ": ", cause, "."));
  }
  if (*got == 0) UNBRAID_RETURN_IF_ERROR(AtEnd());
  UNBRAID_RETURN_IF_ERROR(CheckFinite(interleaved, *got));
  position_ += *got;
  UNBRAID_RETURN_IF_ERROR(CheckLength());
  return *got;
}

absl::Status Decoder::CheckLength() const {
  const double limit = absl::ToDoubleSeconds(options_.max_duration) * format().rate_hz;
  return static_cast<double>(position_) > limit ? TrackTooLong(options_.max_duration)
                                                : absl::OkStatus();
}

absl::Status Decoder::AtEnd() const {
  const int64_t promised = source_->info().promised_frames;
  if (position_ + source_->info().tolerance_frames < promised) {
    return CorruptAudio(absl::StrCat("The file ends at ", PositionText(position_),
                                     " although it promises ", PositionText(promised), "."));
  }
  if (position_ == 0) {
    return base::Error(absl::StatusCode::kInvalidArgument, "EMPTY_FILE",
                       "The file holds a header but no audio. Choose another.");
  }
  return absl::OkStatus();
}

absl::Status Decoder::CheckFinite(float* interleaved, int64_t frames) {
  const int64_t channels = format().channels;
  if (AllFinite(interleaved, frames * channels)) return absl::OkStatus();
  for (int64_t i = 0; i < frames * channels; ++i) {
    if (std::isfinite(interleaved[i])) continue;
    if (options_.silence_non_finite) {
      interleaved[i] = 0;
      ++silenced_samples_;
      continue;
    }
    return base::Error(
        absl::StatusCode::kInvalidArgument, "NON_FINITE_SAMPLE",
        absl::StrCat("The file has a sample that is no number (NaN or infinity) at ",
                     PositionText(position_ + i / channels),
                     ". Repair the file, or ask for such samples to count as silence."));
  }
  return absl::OkStatus();
}

std::string Decoder::PositionText(int64_t frame) const {
  return absl::StrFormat("%.3f s (frame %d)",
                         static_cast<double>(frame) / static_cast<double>(format().rate_hz), frame);
}

}  // namespace unbraid::audio
