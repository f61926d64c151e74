#include "services/common/decode/ffmpeg_source.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/dict.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/log.h>
}

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/decode/ffmpeg_input.h"
#include "services/common/decode/ffmpeg_samples.h"
#include "services/common/decode/mp4_length.h"
#include "services/common/decode/promised_end.h"

namespace unbraid::decode {
namespace {

struct CodecFree {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
struct PacketFree {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FrameFree {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
using Codec = std::unique_ptr<AVCodecContext, CodecFree>;

absl::Status FormatChanges() {
  return base::Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_AUDIO",
                     "The sample rate or the number of channels changes in the middle of the file. "
                     "Convert it to WAV first.");
}

absl::Status NoAudio(const std::string& container) {
  return base::Error(absl::StatusCode::kInvalidArgument, "EMPTY_FILE",
                     absl::StrCat("The ", container, " file holds no audio. Choose another."));
}

// The library's error before the first frame, with a reason if it has none.
absl::Status CannotDecode(const absl::Status& error, const std::string& container) {
  if (!base::ReasonOf(error).empty()) return error;
  return audio::CorruptAudio(
      absl::StrCat("The ", container, " file cannot be decoded: ", error.message(), "."));
}

// Whether the container's header tells the exact number of frames.
bool CountsFrames(const std::string& container) {
  return container == "WAVPACK" || container == "TTA" || container == "APE";
}

class FfmpegSource : public audio::FrameSource {
 public:
  FfmpegSource(std::unique_ptr<FfmpegInput> input, int stream, Codec codec, const store::File& file)
      : FrameSource({}),
        input_(std::move(input)),
        stream_(stream),
        codec_(std::move(codec)),
        promised_end_(*input_->context(), stream, file),
        packet_(av_packet_alloc()),
        frame_(av_frame_alloc()) {}

  // Decodes the first frame, which alone tells the format for certain.
  absl::Status Begin(audio::SourceFile file, const std::string& container) {
    UNBRAID_ASSIGN_OR_RETURN(const bool any, NextFrame());
    if (!any) return NoAudio(container);
    if (!IsKnownLayout(*frame_)) return audio::NoDecoder("audio with an unusual kind of samples");
    info_.format = {container, CodecName(*codec_), DepthOf(*codec_, *frame_), frame_->sample_rate,
                    frame_->ch_layout.nb_channels};
    info_.speakers = SpeakersOf(*frame_);
    info_.tags = {Tag("title"), Tag("artist"), Tag("album")};
    if (container == "MP4") return FindMp4Length(std::move(file));
    if (CountsFrames(container) && stream()->duration > 0) {
      info_.promised_frames = stream()->duration;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames) override {
    if (end_.has_value()) frames = std::min(frames, *end_ - given_);
    int64_t got = 0;
    while (got < frames) {
      const int64_t rest = frame_->nb_samples - taken_;
      if (rest == 0) {
        if (!failure_.ok()) break;
        const absl::StatusOr<bool> more = NextFrame();
        failure_ = more.status();
        if (!more.ok() || !*more) break;
        failure_ = CheckFormat();
        if (!failure_.ok()) frame_->nb_samples = 0;
        continue;
      }
      const int64_t count = std::min(rest, frames - got);
      ToFloats(*frame_, taken_, count, interleaved + got * info_.format.channels);
      taken_ += count;
      got += count;
    }
    given_ += got;
    // What came before the failure counts: the error's position is right that way.
    if (got == 0 && frames > 0 && !failure_.ok()) return failure_;
    return got;
  }

 private:
  AVStream* stream() const { return input_->context()->streams[stream_]; }

  std::string Tag(const char* name) const {
    const AVDictionaryEntry* entry = av_dict_get(input_->context()->metadata, name, nullptr, 0);
    if (entry == nullptr) entry = av_dict_get(stream()->metadata, name, nullptr, 0);
    return audio::CleanTag(entry == nullptr ? nullptr : entry->value);
  }

  // False at the end.
  absl::StatusOr<bool> NextFrame() {
    taken_ = 0;
    while (true) {
      av_frame_unref(frame_.get());
      const int result = avcodec_receive_frame(codec_.get(), frame_.get());
      if (result >= 0 && frame_->nb_samples > 0) {
        decoded_ = true;
        return true;
      }
      if (result == AVERROR_EOF) {
        UNBRAID_RETURN_IF_ERROR(promised_end_.CheckEnd());
        return false;
      }
      if (result < 0 && result != AVERROR(EAGAIN)) {
        UNBRAID_RETURN_IF_ERROR(Tolerate(result));
      }
      if (result < 0) UNBRAID_RETURN_IF_ERROR(SendPacket());
    }
  }

  absl::Status SendPacket() {
    if (drained_) return absl::DataLossError("the decoder does not come to an end");
    while (true) {
      av_packet_unref(packet_.get());
      const int result = av_read_frame(input_->context(), packet_.get());
      if (result == AVERROR_EOF) {
        drained_ = true;
        return Tolerate(avcodec_send_packet(codec_.get(), nullptr));
      }
      if (result < 0) return FfmpegStatus(result);
      if (packet_->stream_index != stream_) continue;
      NotePriming();
      promised_end_.Note(*packet_);
      return Tolerate(avcodec_send_packet(codec_.get(), packet_.get()));
    }
  }

  // A recording of a broadcast begins in the middle of a frame; behind the first whole frame,
  // what cannot be decoded is damage.
  absl::Status Tolerate(int result) const {
    const bool before = !decoded_ && result == AVERROR_INVALIDDATA;
    return result >= 0 || before ? absl::OkStatus() : FfmpegStatus(result);
  }

  void NotePriming() {
    if (std::exchange(priming_known_, true)) return;
    size_t size = 0;
    const uint8_t* data = av_packet_get_side_data(packet_.get(), AV_PKT_DATA_SKIP_SAMPLES, &size);
    constexpr size_t kSkipBytes = 4;
    if (data != nullptr && size >= kSkipBytes) priming_ = AV_RL32(data);
  }

  absl::Status CheckFormat() const {
    const bool same = frame_->sample_rate == info_.format.rate_hz &&
                      frame_->ch_layout.nb_channels == info_.format.channels &&
                      IsKnownLayout(*frame_);
    return same ? absl::OkStatus() : FormatChanges();
  }

  // See ExactMp4Frames. The second look at the file costs its header only.
  absl::Status FindMp4Length(audio::SourceFile file) {
    const int rate = info_.format.rate_hz;
    // Another time base than frames (a video's) cannot tell them exactly.
    if (stream()->time_base.num != 1 || stream()->time_base.den != rate) return absl::OkStatus();
    FfmpegInput::Options options;
    options.ignore_edits = true;
    UNBRAID_ASSIGN_OR_RETURN(auto whole, FfmpegInput::Open(std::move(file), "MP4", options));
    if (static_cast<int>(whole->context()->nb_streams) <= stream_) return absl::OkStatus();
    constexpr int kCoarsestTick = 500;  // a second has at least so many; 600 and 1000 are common
    const Mp4Lengths lengths{stream()->duration, whole->context()->streams[stream_]->duration,
                             priming_, rate / kCoarsestTick + 1};
    const std::string itunes = Tag("iTunSMPB");
    end_ = FramesOfItunesTag(itunes, lengths).value_or(ExactMp4Frames(lengths));
    if (*end_ <= 0) end_.reset();
    if (end_.has_value()) info_.promised_frames = *end_;
    return absl::OkStatus();
  }

  const std::unique_ptr<FfmpegInput> input_;
  const int stream_;
  const Codec codec_;
  PromisedEnd promised_end_;
  const std::unique_ptr<AVPacket, PacketFree> packet_;
  const std::unique_ptr<AVFrame, FrameFree> frame_;
  int64_t taken_ = 0;  // frames of `frame_`
  int64_t given_ = 0;
  std::optional<int64_t> end_;  // given no further
  int64_t priming_ = 0;
  bool priming_known_ = false;
  bool decoded_ = false;
  bool drained_ = false;
  absl::Status failure_;
};

absl::StatusOr<Codec> OpenCodec(const AVCodec* decoder, const AVStream& stream) {
  Codec codec(avcodec_alloc_context3(decoder));
  if (codec == nullptr) return FfmpegStatus(AVERROR(ENOMEM));
  int result = avcodec_parameters_to_context(codec.get(), stream.codecpar);
  codec->pkt_timebase = stream.time_base;
  codec->thread_count = 1;
  // AC-3 knows a level for night hours; the song is wanted as it is.
  AVDictionary* settings = nullptr;
  av_dict_set(&settings, "drc_scale", "0", 0);
  if (result >= 0) result = avcodec_open2(codec.get(), decoder, &settings);
  av_dict_free(&settings);
  if (result < 0) return FfmpegStatus(result);
  return codec;
}

}  // namespace

absl::StatusOr<std::unique_ptr<audio::FrameSource>> OpenWithFfmpeg(audio::SourceFile file,
                                                                   const std::string& container) {
  av_log_set_level(AV_LOG_QUIET);
  UNBRAID_ASSIGN_OR_RETURN(auto input, FfmpegInput::Open(file, container, {}));
  const AVCodec* decoder = nullptr;
  const int stream = av_find_best_stream(input->context(), AVMEDIA_TYPE_AUDIO, -1, -1, &decoder, 0);
  if (stream == AVERROR_DECODER_NOT_FOUND) {
    return audio::NoDecoder(absl::StrCat("a kind of ", container, " file"));
  }
  if (stream < 0) return NoAudio(container);
  for (unsigned i = 0; i < input->context()->nb_streams; ++i) {
    if (static_cast<int>(i) != stream) input->context()->streams[i]->discard = AVDISCARD_ALL;
  }
  absl::StatusOr<Codec> codec = OpenCodec(decoder, *input->context()->streams[stream]);
  if (!codec.ok()) return CannotDecode(codec.status(), container);
  auto source = std::make_unique<FfmpegSource>(std::move(input), stream, *std::move(codec), *file);
  const absl::Status begun = source->Begin(std::move(file), container);
  if (!begun.ok()) return CannotDecode(begun, container);
  return source;
}

}  // namespace unbraid::decode
