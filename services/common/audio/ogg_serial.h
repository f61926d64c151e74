#ifndef UNBRAID_SERVICES_COMMON_AUDIO_OGG_SERIAL_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_OGG_SERIAL_H_

namespace unbraid::audio {

// Tells the streams of one Ogg file apart. Ours have one each, so it may be the same in all of
// them, and equal input gives equal bytes.
inline constexpr int kOggSerial = 1;

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_OGG_SERIAL_H_
