#include "services/common/decode/foreign.h"

namespace unbraid::decode {

audio::ForeignDecoder MakeForeignDecoder() { return nullptr; }

}  // namespace unbraid::decode
