#include "tests/fuzz/read_to_end.h"

#include <vector>

#include "services/common/audio/interleave.h"
#include "tests/fuzz/check.h"

namespace unbraid::fuzz {

absl::Status ReadToEnd(audio::AudioReader* reader, int64_t block_frames) {
  const auto channels = static_cast<int64_t>(reader->format().channels);
  UNBRAID_FUZZ_CHECK(channels >= 1 && channels <= 8);
  UNBRAID_FUZZ_CHECK(reader->speakers().size() == static_cast<size_t>(channels));
  std::vector<float> block(static_cast<size_t>(block_frames * channels));
  for (int64_t position = 0;;) {
    const absl::StatusOr<int64_t> got = reader->Read(block.data(), block_frames);
    if (!got.ok()) return got.status();
    UNBRAID_FUZZ_CHECK(*got >= 0 && *got <= block_frames);
    UNBRAID_FUZZ_CHECK(audio::AllFinite(block.data(), *got * channels));
    position += *got;
    UNBRAID_FUZZ_CHECK(reader->position() == position);
    UNBRAID_FUZZ_CHECK(reader->silenced_samples() >= 0);
    if (*got == 0) return absl::OkStatus();
  }
}

}  // namespace unbraid::fuzz
