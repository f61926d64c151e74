#include "services/common/decode/ffmpeg_samples.h"

extern "C" {
#include <libavcodec/codec_desc.h>
#include <libavutil/channel_layout.h>
#include <libavutil/samplefmt.h>
}

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"

namespace unbraid::decode {
namespace {

using audio::SampleFormat;
using audio::Speaker;

float Scaled(uint8_t sample) { return static_cast<float>(sample - 128) / 128.0F; }
float Scaled(int16_t sample) { return static_cast<float>(sample) / 32768.0F; }
float Scaled(int32_t sample) {
  return static_cast<float>(static_cast<double>(sample) / 2147483648.0);
}
float Scaled(float sample) { return sample; }
float Scaled(double sample) { return static_cast<float>(sample); }

template <typename Sample>
void Convert(const AVFrame& frame, int64_t first, int64_t count, float* out) {
  const auto channels = static_cast<int64_t>(frame.ch_layout.nb_channels);
  const bool planar = av_sample_fmt_is_planar(static_cast<AVSampleFormat>(frame.format)) != 0;
  for (int64_t channel = 0; channel < channels; ++channel) {
    const auto* plane = reinterpret_cast<const Sample*>(frame.extended_data[planar ? channel : 0]);
    const int64_t step = planar ? 1 : channels;
    const int64_t begin = planar ? 0 : channel;
    for (int64_t i = 0; i < count; ++i) {
      out[i * channels + channel] = Scaled(plane[begin + (first + i) * step]);
    }
  }
}

Speaker SpeakerOf(AVChannel channel) {
  switch (channel) {
    case AV_CHAN_FRONT_LEFT:
    case AV_CHAN_FRONT_LEFT_OF_CENTER:
    case AV_CHAN_STEREO_LEFT:
      return Speaker::kLeft;
    case AV_CHAN_FRONT_RIGHT:
    case AV_CHAN_FRONT_RIGHT_OF_CENTER:
    case AV_CHAN_STEREO_RIGHT:
      return Speaker::kRight;
    case AV_CHAN_FRONT_CENTER:
      return Speaker::kCentre;
    case AV_CHAN_LOW_FREQUENCY:
    case AV_CHAN_LOW_FREQUENCY_2:
      return Speaker::kLfe;
    case AV_CHAN_BACK_LEFT:
    case AV_CHAN_SIDE_LEFT:
      return Speaker::kSurroundLeft;
    case AV_CHAN_BACK_RIGHT:
    case AV_CHAN_SIDE_RIGHT:
      return Speaker::kSurroundRight;
    case AV_CHAN_BACK_CENTER:
      return Speaker::kSurroundCentre;
    default:
      return Speaker::kMono;
  }
}

}  // namespace

bool IsKnownLayout(const AVFrame& frame) {
  switch (av_get_packed_sample_fmt(static_cast<AVSampleFormat>(frame.format))) {
    case AV_SAMPLE_FMT_U8:
    case AV_SAMPLE_FMT_S16:
    case AV_SAMPLE_FMT_S32:
    case AV_SAMPLE_FMT_FLT:
    case AV_SAMPLE_FMT_DBL:
      return true;
    default:
      return false;
  }
}

void ToFloats(const AVFrame& frame, int64_t first, int64_t count, float* interleaved) {
  switch (av_get_packed_sample_fmt(static_cast<AVSampleFormat>(frame.format))) {
    case AV_SAMPLE_FMT_U8:
      return Convert<uint8_t>(frame, first, count, interleaved);
    case AV_SAMPLE_FMT_S16:
      return Convert<int16_t>(frame, first, count, interleaved);
    case AV_SAMPLE_FMT_S32:
      return Convert<int32_t>(frame, first, count, interleaved);
    case AV_SAMPLE_FMT_FLT:
      return Convert<float>(frame, first, count, interleaved);
    default:
      return Convert<double>(frame, first, count, interleaved);
  }
}

std::string CodecName(const AVCodecContext& codec) {
  return absl::AsciiStrToUpper(avcodec_get_name(codec.codec_id));
}

SampleFormat DepthOf(const AVCodecContext& codec, const AVFrame& frame) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(codec.codec_id);
  const bool lossless = descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_LOSSLESS) != 0;
  if (!lossless) return SampleFormat::kF32;
  const AVSampleFormat layout = av_get_packed_sample_fmt(static_cast<AVSampleFormat>(frame.format));
  if (layout == AV_SAMPLE_FMT_FLT) return SampleFormat::kF32;
  if (layout == AV_SAMPLE_FMT_DBL) return SampleFormat::kF64;
  constexpr int kByteBits = 8;
  const int stored = av_get_bytes_per_sample(layout) * kByteBits;
  const int bits = codec.bits_per_raw_sample > 0 ? codec.bits_per_raw_sample : stored;
  if (bits <= audio::IntegerBits(SampleFormat::kU8)) return SampleFormat::kU8;
  if (bits <= audio::IntegerBits(SampleFormat::kS16)) return SampleFormat::kS16;
  return bits <= audio::IntegerBits(SampleFormat::kS24) ? SampleFormat::kS24 : SampleFormat::kS32;
}

std::vector<Speaker> SpeakersOf(const AVFrame& frame) {
  const int channels = frame.ch_layout.nb_channels;
  std::vector<Speaker> speakers;
  for (int i = 0; i < channels; ++i) {
    speakers.push_back(SpeakerOf(
        av_channel_layout_channel_from_index(&frame.ch_layout, static_cast<unsigned>(i))));
  }
  const bool placed = std::find(speakers.begin(), speakers.end(), Speaker::kMono) == speakers.end();
  return placed && channels > 1 ? speakers : audio::UsualSpeakers(channels);
}

}  // namespace unbraid::decode
