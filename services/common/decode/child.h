#ifndef UNBRAID_SERVICES_COMMON_DECODE_CHILD_H_
#define UNBRAID_SERVICES_COMMON_DECODE_CHILD_H_

#include "absl/status/status.h"
#include "services/common/audio/decoder.h"
#include "services/common/store/files.h"

namespace unbraid::decode {

// Where the child finds what it works on.
inline constexpr int kFileDescriptor = 3;
inline constexpr int kPipeDescriptor = 4;

// Decodes `file` and writes what it gives into `pipe`, as decoder.proto says, a failure included.
// Not OK: the parent cannot be told anything any more.
absl::Status DecodeInto(int pipe, store::File file, const audio::DecodeOptions& options,
                        const audio::ForeignDecoder& foreign);

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_CHILD_H_
