#ifndef UNBRAID_SERVICES_COMMON_AUDIO_SNDFILE_CODEC_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_SNDFILE_CODEC_H_

#include <sndfile.h>

#include <string>
#include <vector>

#include "services/common/audio/downmix.h"
#include "services/common/audio/format.h"

namespace unbraid::audio {

// libsndfile's numbers in our words.
struct CodecInfo {
  const char* name;
  SampleFormat sample_format;  // the depth of the samples; F32 for what is lossy and has none
};

// `subtype` is SF_INFO.format & SF_FORMAT_SUBMASK.
CodecInfo CodecOf(int subtype);

// The channel map of an open file where it has a plausible one, the usual one of its container
// otherwise: Ogg's own order, WAVE's for all others.
std::vector<Speaker> SpeakersOf(SNDFILE* file, int channels, const std::string& container);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_SNDFILE_CODEC_H_
