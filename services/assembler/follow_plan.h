#ifndef UNBRAID_SERVICES_ASSEMBLER_FOLLOW_PLAN_H_
#define UNBRAID_SERVICES_ASSEMBLER_FOLLOW_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/job.h"
#include "unbraid/v1/separation.pb.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::assembler {

// Where the PCM of one stem comes from at one moment. Plain data.
struct FollowPlan {
  // A joined file, and its share in what is followed.
  struct Part {
    std::string path;
    double gain = 1;
  };

  v1::Separation::State state = v1::Separation::STATE_UNSPECIFIED;
  v1::PcmFormat pcm;

  // While SEPARATING or FINISHING: one joined file of a stem, or all computed ones of the mix.
  std::vector<Part> parts;
  bool is_mix = false;
  int model_rate_hz = 0;
  int64_t model_frames = 0;
  int64_t joined_frames = 0;  // at the model's rate

  // Once SUCCEEDED: the result, and the factor that takes the gain of the outputs off it.
  std::string output_path;
  float output_factor = 1;
};

// Errors: NOT_FOUND (UNKNOWN_STEM) for what is neither wanted as a file nor `mix`; those of
// FollowEnd.
absl::StatusOr<FollowPlan> MakeFollowPlan(const Job& job, const ChunkFiles& files,
                                          const std::string& stem);

// ABORTED (SEPARATION_FAILED, SEPARATION_CANCELLED) when there is nothing to follow any more.
absl::Status FollowEnd(const v1::Separation& separation);

// OUT_OF_RANGE (INVALID_OFFSET) unless PCM can be sent from this byte on.
absl::Status CheckFollowOffset(const v1::PcmFormat& pcm, int64_t offset);

// Bytes of one frame, and of the whole stem.
int64_t FrameBytes(const v1::PcmFormat& pcm);
int64_t SizeBytes(const v1::PcmFormat& pcm);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_FOLLOW_PLAN_H_
