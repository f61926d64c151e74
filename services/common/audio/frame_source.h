#ifndef UNBRAID_SERVICES_COMMON_AUDIO_FRAME_SOURCE_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_FRAME_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/audio/downmix.h"
#include "services/common/audio/format.h"
#include "services/common/store/files.h"

namespace unbraid::audio {

// Inner side of the decoder: one file as one library decodes it. Not thread-safe.
class FrameSource {
 public:
  struct Info {
    TrackFormat format;
    std::vector<Speaker> speakers;
    Tags tags;
    // What the file says that it holds; -1 where it does not say, or is not to be trusted.
    int64_t promised_frames = -1;
    // How many fewer than promised are still no sign of damage.
    int64_t tolerance_frames = 0;
  };

  virtual ~FrameSource() = default;

  const Info& info() const { return info_; }

  // Up to `frames` interleaved frames, 0 at the end. An error without a reason is the library's
  // message about data that it cannot decode.
  virtual absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames) = 0;

 protected:
  explicit FrameSource(Info info) : info_(std::move(info)) {}

  Info info_;
};

// A file that sources read; several may read it at once.
using SourceFile = std::shared_ptr<const store::File>;

// A tag as it stands in a file (null: not there), made fit for Tags.
std::string CleanTag(const char* text);

// INVALID_ARGUMENT (CORRUPT_AUDIO): `sentence`, and what to do.
absl::Status CorruptAudio(absl::string_view sentence);

// INVALID_ARGUMENT (NO_DECODER): `what` is the thing that cannot be decoded, with its article.
absl::Status NoDecoder(absl::string_view what);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_FRAME_SOURCE_H_
