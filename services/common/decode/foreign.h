#ifndef UNBRAID_SERVICES_COMMON_DECODE_FOREIGN_H_
#define UNBRAID_SERVICES_COMMON_DECODE_FOREIGN_H_

#include "services/common/audio/decoder.h"

namespace unbraid::decode {

// The second decoder, FFmpeg's libraries; empty in a build without them (UNBRAID_FFMPEG=OFF).
audio::ForeignDecoder MakeForeignDecoder();

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_FOREIGN_H_
