#include "services/common/audio/decoder.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "services/common/audio/frame_source.h"
#include "services/common/audio/mpeg_source.h"
#include "services/common/audio/ogg_pages.h"
#include "services/common/audio/sndfile_source.h"
#include "services/common/audio/sniff.h"
#include "services/common/audio/wav_header.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::audio {
namespace {

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

absl::StatusOr<std::unique_ptr<FrameSource>> OpenSource(const std::string& path,
                                                        const std::string& container) {
  if (container == "MP3") return OpenMpeg(path, container);
  UNBRAID_ASSIGN_OR_RETURN(const store::File file,
                           store::File::Open(path, store::File::Mode::kRead));
  if (container == "OGG") UNBRAID_RETURN_IF_ERROR(CheckOggPages(file));
  if (container != "WAV") return OpenWithSndfile(path, container, std::nullopt);
  UNBRAID_ASSIGN_OR_RETURN(const WavHeader header, ReadWavHeader(file));
  if (header.IsMpeg()) return OpenMpeg(path, container);
  if (!header.IsDecodable()) {
    return NoDecoder(
        absl::StrFormat("a WAV file with another codec inside (number 0x%04X)", header.format_tag));
  }
  return OpenWithSndfile(path, container, header.lost_length_at);
}

}  // namespace

Decoder::Decoder(std::unique_ptr<FrameSource> source) : source_(std::move(source)) {}

Decoder::~Decoder() = default;

const TrackFormat& Decoder::format() const { return source_->info().format; }

const std::vector<Speaker>& Decoder::speakers() const { return source_->info().speakers; }

absl::StatusOr<std::unique_ptr<Decoder>> Decoder::Open(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(const std::string container, SniffFile(path));
  UNBRAID_ASSIGN_OR_RETURN(std::unique_ptr<FrameSource> source, OpenSource(path, container));
  UNBRAID_RETURN_IF_ERROR(CheckRange(source->info().format));
  return std::unique_ptr<Decoder>(new Decoder(std::move(source)));
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
  return *got;
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

absl::Status Decoder::CheckFinite(const float* interleaved, int64_t frames) const {
  const int64_t channels = format().channels;
  for (int64_t i = 0; i < frames * channels; ++i) {
    if (std::isfinite(interleaved[i])) continue;
    return base::Error(absl::StatusCode::kInvalidArgument, "NON_FINITE_SAMPLE",
                       absl::StrCat("The file has a sample that is no number (NaN or infinity) at ",
                                    PositionText(position_ + i / channels),
                                    ". Repair the file, or convert it to integer samples."));
  }
  return absl::OkStatus();
}

std::string Decoder::PositionText(int64_t frame) const {
  return absl::StrFormat("%.3f s (frame %d)",
                         static_cast<double>(frame) / static_cast<double>(format().rate_hz), frame);
}

}  // namespace unbraid::audio
