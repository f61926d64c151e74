#ifndef UNBRAID_TESTS_FUZZ_READ_TO_END_H_
#define UNBRAID_TESTS_FUZZ_READ_TO_END_H_

#include <cstdint>

#include "absl/status/status.h"
#include "services/common/audio/decoder.h"

namespace unbraid::fuzz {

// Reads audio in blocks of so many frames and checks all that a reader promises about them. What
// ended it early, or OK.
absl::Status ReadToEnd(audio::AudioReader* reader, int64_t block_frames);

}  // namespace unbraid::fuzz

#endif  // UNBRAID_TESTS_FUZZ_READ_TO_END_H_
