#include "services/common/audio/sndfile_codec.h"

#include <algorithm>

namespace unbraid::audio {
namespace {

struct CodecRow {
  int subtype;
  CodecInfo info;
};

constexpr CodecRow kCodecs[] = {
    {SF_FORMAT_PCM_U8, {"PCM_U8", SampleFormat::kU8}},
    {SF_FORMAT_PCM_S8, {"PCM_S8", SampleFormat::kU8}},
    {SF_FORMAT_PCM_16, {"PCM_S16", SampleFormat::kS16}},
    {SF_FORMAT_PCM_24, {"PCM_S24", SampleFormat::kS24}},
    {SF_FORMAT_PCM_32, {"PCM_S32", SampleFormat::kS32}},
    {SF_FORMAT_FLOAT, {"PCM_F32", SampleFormat::kF32}},
    {SF_FORMAT_DOUBLE, {"PCM_F64", SampleFormat::kF64}},
    {SF_FORMAT_ULAW, {"MULAW", SampleFormat::kS16}},
    {SF_FORMAT_ALAW, {"ALAW", SampleFormat::kS16}},
    {SF_FORMAT_ALAC_16, {"ALAC", SampleFormat::kS16}},
    {SF_FORMAT_ALAC_20, {"ALAC", SampleFormat::kS24}},
    {SF_FORMAT_ALAC_24, {"ALAC", SampleFormat::kS24}},
    {SF_FORMAT_ALAC_32, {"ALAC", SampleFormat::kS32}},
    {SF_FORMAT_DWVW_12, {"DWVW", SampleFormat::kS16}},
    {SF_FORMAT_DWVW_16, {"DWVW", SampleFormat::kS16}},
    {SF_FORMAT_DWVW_24, {"DWVW", SampleFormat::kS24}},
    {SF_FORMAT_IMA_ADPCM, {"ADPCM_IMA", SampleFormat::kS16}},
    {SF_FORMAT_MS_ADPCM, {"ADPCM_MS", SampleFormat::kS16}},
    {SF_FORMAT_NMS_ADPCM_16, {"ADPCM_NMS", SampleFormat::kS16}},
    {SF_FORMAT_NMS_ADPCM_24, {"ADPCM_NMS", SampleFormat::kS16}},
    {SF_FORMAT_NMS_ADPCM_32, {"ADPCM_NMS", SampleFormat::kS16}},
    {SF_FORMAT_GSM610, {"GSM610", SampleFormat::kS16}},
    {SF_FORMAT_G721_32, {"G721", SampleFormat::kS16}},
    {SF_FORMAT_G723_24, {"G723", SampleFormat::kS16}},
    {SF_FORMAT_G723_40, {"G723", SampleFormat::kS16}},
    {SF_FORMAT_VORBIS, {"VORBIS", SampleFormat::kF32}},
    {SF_FORMAT_OPUS, {"OPUS", SampleFormat::kF32}},
};

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

// The order that the Vorbis and Opus specifications lay down, which libsndfile passes on as it is.
std::vector<Speaker> OggSpeakers(int channels) {
  using S = Speaker;
  switch (channels) {
    case 3:
      return {S::kLeft, S::kCentre, S::kRight};
    case 5:
      return {S::kLeft, S::kCentre, S::kRight, S::kSurroundLeft, S::kSurroundRight};
    case 6:
      return {S::kLeft, S::kCentre, S::kRight, S::kSurroundLeft, S::kSurroundRight, S::kLfe};
    case 7:
      return {S::kLeft,          S::kCentre,         S::kRight, S::kSurroundLeft,
              S::kSurroundRight, S::kSurroundCentre, S::kLfe};
    case 8:
      return {S::kLeft,          S::kCentre,       S::kRight,         S::kSurroundLeft,
              S::kSurroundRight, S::kSurroundLeft, S::kSurroundRight, S::kLfe};
    default:
      return UsualSpeakers(channels);
  }
}

}  // namespace

CodecInfo CodecOf(int subtype) {
  for (const CodecRow& row : kCodecs) {
    if (row.subtype == subtype) return row.info;
  }
  return {"OTHER", SampleFormat::kF32};
}

std::vector<Speaker> SpeakersOf(SNDFILE* file, int channels, const std::string& container) {
  std::vector<int> map(static_cast<size_t>(channels));
  std::vector<Speaker> speakers;
  if (sf_command(file, SFC_GET_CHANNEL_MAP_INFO, map.data(),
                 static_cast<int>(map.size() * sizeof(int))) == SF_TRUE) {
    for (int place : map) speakers.push_back(SpeakerOf(place));
  }
  const bool placed = !speakers.empty() &&
                      std::find(speakers.begin(), speakers.end(), Speaker::kMono) == speakers.end();
  if (placed) return speakers;
  return container == "OGG" ? OggSpeakers(channels) : UsualSpeakers(channels);
}

}  // namespace unbraid::audio
