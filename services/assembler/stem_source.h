#ifndef UNBRAID_SERVICES_ASSEMBLER_STEM_SOURCE_H_
#define UNBRAID_SERVICES_ASSEMBLER_STEM_SOURCE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "services/assembler/follow_plan.h"

namespace unbraid::assembler {

// A stem's samples in track order, block by block, at the track's rate. Not thread-safe.
class StemSource {
 public:
  // Reads the joined files of the plan. They are open when this returns, and are read to the last
  // frame even if they are removed meanwhile. The blocks are the same bits as what the results are
  // written from.
  static absl::StatusOr<std::unique_ptr<StemSource>> OpenJoined(const FollowPlan& plan,
                                                                int64_t first_frame);
  // Decodes the result of the plan. The file is opened by the first Read.
  static std::unique_ptr<StemSource> OfOutput(const FollowPlan& plan);

  virtual ~StemSource() = default;

  // Where in the track the first block begins: at most at the frame that was asked for. What lies
  // before must be computed, though nobody wants it, where a resampler is to be in the same state.
  virtual int64_t begin_frame() const = 0;

  // There is something to read while so many frames are joined, at the model's rate.
  virtual bool CanRead(int64_t joined_frames) const = 0;

  // Appends the next block, which may be empty. It blocks on the disk for one block's time.
  virtual absl::Status Read(int64_t joined_frames, std::vector<float>* out) = 0;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_STEM_SOURCE_H_
