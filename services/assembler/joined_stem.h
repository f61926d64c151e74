#ifndef UNBRAID_SERVICES_ASSEMBLER_JOINED_STEM_H_
#define UNBRAID_SERVICES_ASSEMBLER_JOINED_STEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/common/audio/resampler.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {

// What a joined file holds, and what is to become of it.
struct JoinedShape {
  int model_rate_hz = 0;
  int rate_hz = 0;  // the track's own
  int channels = 0;
  int64_t frames = 0;  // of the whole track, at its own rate
};

// One stem's joined file (interleaved float32 at the model's rate), read in order and brought back
// to the track's rate. Not thread-safe.
class JoinedStem {
 public:
  // Begins at this frame, which must be 0 where the rates differ. The file is open when this
  // returns, and can be read to its end even if it is removed meanwhile.
  static absl::StatusOr<JoinedStem> Open(const std::string& path, const JoinedShape& shape,
                                         int64_t first_frame);

  // Takes so many further frames of the file, which must be there, and appends what they give. With
  // none, it is the end, and what the resampler still held is appended. DATA_LOSS when the file is
  // shorter.
  absl::Status Read(int64_t frames, std::vector<float>* out);

 private:
  JoinedStem(store::File file, const JoinedShape& shape, int64_t first_frame)
      : file_(std::move(file)), shape_(shape), first_frame_(first_frame), position_(first_frame) {}

  store::File file_;
  JoinedShape shape_;
  int64_t first_frame_;
  int64_t position_;
  std::unique_ptr<audio::Resampler> resampler_;  // made when it is first needed: that takes time
};

// The sum of the stems, each with its gain, in double, rounded once.
void MixStems(absl::Span<const std::vector<float>> stems, absl::Span<const double> gains,
              std::vector<float>* mix);

// FAILED_PRECONDITION (OUTPUT_NOT_FINITE), naming the output and the time, if a sample is no
// number: sums, gains and filters can leave the range of a float. `first_frame` is where the
// samples begin.
absl::Status CheckOutput(absl::Span<const float> samples, absl::string_view output,
                         const JoinedShape& shape, int64_t first_frame);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_JOINED_STEM_H_
