#include "services/assembler/follow_plan.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {
namespace {

constexpr char kMix[] = "mix";

absl::Status CheckStem(const Job& job, const std::string& stem) {
  const auto& wanted = job.open.separation().stems();
  if (stem == kMix || std::find(wanted.begin(), wanted.end(), stem) != wanted.end())
    return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kNotFound, "UNKNOWN_STEM",
      absl::StrCat(job.separation.name(), " has no stem \"", stem,
                   "\" to follow. It has: ", absl::StrJoin(wanted, ", "), ", ", kMix, "."));
}

// In the finisher's order, so that a sum is the same bits.
std::vector<FollowPlan::Part> PartsOf(const Job& job, const ChunkFiles& files,
                                      const std::string& stem) {
  const auto& gains = job.open.separation().mix().gains();
  std::vector<FollowPlan::Part> parts;
  for (int i = 0; i < job.computed_stems(); ++i) {
    const std::string& name = job.open.model_stems(job.open.computed_stems(i));
    if (stem == kMix) {
      const auto gain = gains.find(name);
      parts.push_back({files.JoinedPath(i), gain == gains.end() ? 0 : gain->second});
    } else if (stem == name) {
      parts.push_back({files.JoinedPath(i), 1});
    }
  }
  return parts;
}

void PlanOutput(const Job& job, const ChunkFiles& files, const std::string& stem,
                FollowPlan* plan) {
  constexpr double kDecibelsPerTenfold = 20;
  for (const v1::StemFile& output : job.separation.outputs()) {
    if (output.stem() == stem)
      plan->output_path = files.OutputPath(output.stem(), output.extension());
  }
  plan->output_factor =
      static_cast<float>(std::pow(10.0, -job.separation.gain_db() / kDecibelsPerTenfold));
}

}  // namespace

absl::StatusOr<FollowPlan> MakeFollowPlan(const Job& job, const ChunkFiles& files,
                                          const std::string& stem) {
  UNBRAID_RETURN_IF_ERROR(CheckStem(job, stem));
  UNBRAID_RETURN_IF_ERROR(FollowEnd(job.separation));
  FollowPlan plan;
  plan.state = job.separation.state();
  plan.pcm.set_sample_rate_hz(job.open.track().sample_rate_hz());
  plan.pcm.set_channels(job.channels());
  plan.pcm.set_frames(job.open.track().frames());
  if (plan.state == v1::Separation::STATE_SUCCEEDED) {
    PlanOutput(job, files, stem, &plan);
  } else if (job.model_frames > 0) {
    plan.parts = PartsOf(job, files, stem);
    plan.is_mix = stem == kMix;
    plan.model_rate_hz = job.open.model_rate_hz();
    plan.model_frames = job.model_frames;
    plan.joined_frames = job.JoinedFrames();
  }
  return plan;
}

absl::Status FollowEnd(const v1::Separation& separation) {
  if (separation.state() == v1::Separation::STATE_CANCELLED) {
    return base::Error(absl::StatusCode::kAborted, "SEPARATION_CANCELLED",
                       absl::StrCat(separation.name(), " was cancelled."));
  }
  if (separation.state() == v1::Separation::STATE_FAILED) {
    return base::Error(absl::StatusCode::kAborted, "SEPARATION_FAILED",
                       separation.failure().message(),
                       {{"failure_reason", separation.failure().reason()}});
  }
  return absl::OkStatus();
}

absl::Status CheckFollowOffset(const v1::PcmFormat& pcm, int64_t offset) {
  const int64_t frame = FrameBytes(pcm);
  if (offset >= 0 && offset <= SizeBytes(pcm) && offset % frame == 0) return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kOutOfRange, "INVALID_OFFSET",
      absl::StrCat("The stem has ", SizeBytes(pcm), " bytes of PCM in frames of ", frame,
                   " bytes; read_offset must be the start of a frame, or ", "the end."));
}

int64_t FrameBytes(const v1::PcmFormat& pcm) {
  return pcm.channels() * static_cast<int64_t>(sizeof(float));
}

int64_t SizeBytes(const v1::PcmFormat& pcm) { return pcm.frames() * FrameBytes(pcm); }

}  // namespace unbraid::assembler
