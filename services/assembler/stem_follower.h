#ifndef UNBRAID_SERVICES_ASSEMBLER_STEM_FOLLOWER_H_
#define UNBRAID_SERVICES_ASSEMBLER_STEM_FOLLOWER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/assembler/follow_plan.h"
#include "services/assembler/stem_source.h"

namespace unbraid::assembler {

// Turns a stem's source into parts of PCM, from any frame to the last one of the track. Holds a
// block at a time. Not thread-safe.
class StemFollower {
 public:
  // `first_byte` has passed CheckFollowOffset. Opens files only, so that it may run on the engine's
  // thread, where nobody can remove them meanwhile. Requires a plan that is past PREPARING.
  static absl::StatusOr<std::unique_ptr<StemFollower>> Open(const FollowPlan& plan,
                                                            int64_t first_byte);

  // The last frame has been given.
  bool ended() const { return offset_ == size_; }
  // Position of the next part, in bytes.
  int64_t offset() const { return offset_; }

  // Next has something to do while so many frames are joined, at the model's rate.
  bool CanGoOn(int64_t joined_frames) const;

  // Does one block's work and gives the next part: whole frames, at most 256 KiB. It is empty where
  // that work has not led to a frame that is wanted: call it again as long as CanGoOn.
  absl::StatusOr<std::string> Next(int64_t joined_frames);

 private:
  StemFollower(const v1::PcmFormat& pcm, std::unique_ptr<StemSource> source, int64_t first_byte);
  void DropUnwanted();

  const int64_t frame_bytes_;
  const int64_t size_;
  const std::unique_ptr<StemSource> source_;
  int64_t offset_;
  int64_t unwanted_samples_;    // that come before the first byte
  std::vector<float> samples_;  // the block at hand
  size_t given_ = 0;            // of it
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_STEM_FOLLOWER_H_
