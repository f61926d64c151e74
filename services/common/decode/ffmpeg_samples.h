#ifndef UNBRAID_SERVICES_COMMON_DECODE_FFMPEG_SAMPLES_H_
#define UNBRAID_SERVICES_COMMON_DECODE_FFMPEG_SAMPLES_H_

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
}

#include <cstdint>
#include <string>
#include <vector>

#include "services/common/audio/downmix.h"
#include "services/common/audio/format.h"

// FFmpeg's ways to hold audio, in our words.
namespace unbraid::decode {

// Whether ToFloats() knows the layout of the frame's samples.
bool IsKnownLayout(const AVFrame& frame);

// Writes `count` frames from `first` on to `interleaved`, full scale ±1.0.
void ToFloats(const AVFrame& frame, int64_t first, int64_t count, float* interleaved);

// The codec in upper case, for example "AAC".
std::string CodecName(const AVCodecContext& codec);

// Depth of a lossless codec; F32 for what is lossy and has none.
audio::SampleFormat DepthOf(const AVCodecContext& codec, const AVFrame& frame);

std::vector<audio::Speaker> SpeakersOf(const AVFrame& frame);

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_FFMPEG_SAMPLES_H_
