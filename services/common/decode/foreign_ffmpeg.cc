#include "services/common/decode/ffmpeg_source.h"
#include "services/common/decode/foreign.h"

namespace unbraid::decode {

audio::ForeignDecoder MakeForeignDecoder() { return &OpenWithFfmpeg; }

}  // namespace unbraid::decode
