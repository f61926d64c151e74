#include "services/common/audio/decoder.h"

#include <sndfile.h>

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/common/audio/sniff.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

struct CodecInfo {
  const char* name;
  SampleFormat format;
};

CodecInfo CodecOf(int subtype) {
  switch (subtype) {
    case SF_FORMAT_PCM_U8:
      return {"PCM_U8", SampleFormat::kU8};
    case SF_FORMAT_PCM_S8:
      return {"PCM_S8", SampleFormat::kU8};
    case SF_FORMAT_PCM_16:
      return {"PCM_S16", SampleFormat::kS16};
    case SF_FORMAT_PCM_24:
      return {"PCM_S24", SampleFormat::kS24};
    case SF_FORMAT_PCM_32:
      return {"PCM_S32", SampleFormat::kS32};
    case SF_FORMAT_FLOAT:
      return {"PCM_F32", SampleFormat::kF32};
    case SF_FORMAT_DOUBLE:
      return {"PCM_F64", SampleFormat::kF64};
    case SF_FORMAT_ULAW:
      return {"MULAW", SampleFormat::kS16};
    case SF_FORMAT_ALAW:
      return {"ALAW", SampleFormat::kS16};
    case SF_FORMAT_VORBIS:
      return {"VORBIS", SampleFormat::kF32};
    case SF_FORMAT_OPUS:
      return {"OPUS", SampleFormat::kF32};
    case SF_FORMAT_MPEG_LAYER_I:
    case SF_FORMAT_MPEG_LAYER_II:
    case SF_FORMAT_MPEG_LAYER_III:
      return {"MPEG", SampleFormat::kF32};
    default:
      return {"OTHER", SampleFormat::kF32};
  }
}

Speaker SpeakerOf(int place) {
  switch (place) {
    case SF_CHANNEL_MAP_LEFT:
    case SF_CHANNEL_MAP_FRONT_LEFT:
    case SF_CHANNEL_MAP_FRONT_LEFT_OF_CENTER:
      return Speaker::kLeft;
    case SF_CHANNEL_MAP_RIGHT:
    case SF_CHANNEL_MAP_FRONT_RIGHT:
    case SF_CHANNEL_MAP_FRONT_RIGHT_OF_CENTER:
      return Speaker::kRight;
    case SF_CHANNEL_MAP_CENTER:
    case SF_CHANNEL_MAP_FRONT_CENTER:
      return Speaker::kCentre;
    case SF_CHANNEL_MAP_LFE:
      return Speaker::kLfe;
    case SF_CHANNEL_MAP_REAR_LEFT:
    case SF_CHANNEL_MAP_SIDE_LEFT:
      return Speaker::kSurroundLeft;
    case SF_CHANNEL_MAP_REAR_RIGHT:
    case SF_CHANNEL_MAP_SIDE_RIGHT:
      return Speaker::kSurroundRight;
    case SF_CHANNEL_MAP_REAR_CENTER:
      return Speaker::kSurroundCentre;
    default:
      return Speaker::kMono;
  }
}

absl::Status Corrupt(const std::string& sentence) {
  return base::Error(absl::StatusCode::kInvalidArgument, "CORRUPT_AUDIO",
                     absl::StrCat(sentence, " Get another copy of the file."));
}

absl::Status CheckRange(const TrackFormat& format) {
  if (format.channels >= 1 && format.channels <= kMaxChannels && format.rate_hz >= kMinRateHz &&
      format.rate_hz <= kMaxRateHz) {
    return absl::OkStatus();
  }
  return base::Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_AUDIO",
                     absl::StrCat("The file has ", format.channels, " channels at ", format.rate_hz,
                                  " Hz; 1 to ", kMaxChannels, " channels and ", kMinRateHz, " to ",
                                  kMaxRateHz, " Hz can be separated. Convert it first."));
}

}  // namespace

struct Decoder::Handle {
  ~Handle() {
    if (file != nullptr) sf_close(file);
  }

  // The map of the file where it has a plausible one, the usual one otherwise.
  std::vector<Speaker> Speakers() const {
    std::vector<int> map(static_cast<size_t>(info.channels));
    std::vector<Speaker> speakers;
    if (sf_command(file, SFC_GET_CHANNEL_MAP_INFO, map.data(),
                   static_cast<int>(map.size() * sizeof(int))) == SF_TRUE) {
      for (int place : map) speakers.push_back(SpeakerOf(place));
    }
    bool placed = !speakers.empty();
    for (Speaker speaker : speakers) placed = placed && speaker != Speaker::kMono;
    return placed ? speakers : UsualSpeakers(info.channels);
  }

  SNDFILE* file = nullptr;
  SF_INFO info{};
};

Decoder::Decoder(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}

Decoder::~Decoder() = default;

absl::StatusOr<std::unique_ptr<Decoder>> Decoder::Open(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(std::string container, SniffFile(path));
  auto handle = std::make_unique<Handle>();
  handle->file = sf_open(path.c_str(), SFM_READ, &handle->info);
  if (handle->file == nullptr) {
    return Corrupt(
        absl::StrCat("The ", container, " file cannot be opened: ", sf_strerror(nullptr)));
  }
  const SF_INFO& info = handle->info;
  const CodecInfo codec = CodecOf(info.format & SF_FORMAT_SUBMASK);
  std::unique_ptr<Decoder> decoder(new Decoder(std::move(handle)));
  decoder->format_ = {container, codec.name, codec.format, info.samplerate, info.channels};
  UNBRAID_RETURN_IF_ERROR(CheckRange(decoder->format_));
  decoder->speakers_ = decoder->handle_->Speakers();
  // For MP3 the library's figure is an estimate where the file has no Xing header.
  if (info.frames < SF_COUNT_MAX && container != "MP3") decoder->promised_frames_ = info.frames;
  return decoder;
}

absl::StatusOr<int64_t> Decoder::Read(float* interleaved, int64_t frames) {
  const sf_count_t got = sf_readf_float(handle_->file, interleaved, frames);
  if (got < frames) UNBRAID_RETURN_IF_ERROR(got > 0 ? absl::OkStatus() : AtEnd());
  UNBRAID_RETURN_IF_ERROR(CheckFinite(interleaved, got));
  position_ += got;
  return got;
}

absl::Status Decoder::AtEnd() {
  const std::string where = PositionText(position_);
  if (sf_error(handle_->file) != SF_ERR_NO_ERROR) {
    return Corrupt(absl::StrCat("Decoding failed at ", where, ": ", sf_strerror(handle_->file)));
  }
  if (position_ < promised_frames_) {
    return Corrupt(absl::StrCat("The file ends at ", where, " although it promises ",
                                PositionText(promised_frames_), "."));
  }
  if (position_ == 0) {
    return base::Error(absl::StatusCode::kInvalidArgument, "EMPTY_FILE",
                       "The file holds a header but no audio. Choose another.");
  }
  return absl::OkStatus();
}

absl::Status Decoder::CheckFinite(const float* interleaved, int64_t frames) const {
  const int64_t channels = format_.channels;
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
                         static_cast<double>(frame) / static_cast<double>(format_.rate_hz), frame);
}

}  // namespace unbraid::audio
