#include "services/assembler/stem_follower.h"

#include <algorithm>
#include <utility>

#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {
namespace {

constexpr int64_t kPartBytes = 256 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<StemFollower>> StemFollower::Open(const FollowPlan& plan,
                                                                 int64_t first_byte) {
  std::unique_ptr<StemSource> source;
  if (plan.state == v1::Separation::STATE_SUCCEEDED) {
    source = StemSource::OfOutput(plan);
  } else {
    UNBRAID_ASSIGN_OR_RETURN(source,
                             StemSource::OpenJoined(plan, first_byte / FrameBytes(plan.pcm)));
  }
  return std::unique_ptr<StemFollower>(new StemFollower(plan.pcm, std::move(source), first_byte));
}

StemFollower::StemFollower(const v1::PcmFormat& pcm, std::unique_ptr<StemSource> source,
                           int64_t first_byte)
    : frame_bytes_(FrameBytes(pcm)),
      size_(SizeBytes(pcm)),
      source_(std::move(source)),
      offset_(first_byte),
      unwanted_samples_((first_byte - source_->begin_frame() * frame_bytes_) /
                        static_cast<int64_t>(sizeof(float))) {}

bool StemFollower::CanGoOn(int64_t joined_frames) const {
  return !ended() && (given_ < samples_.size() || source_->CanRead(joined_frames));
}

absl::StatusOr<std::string> StemFollower::Next(int64_t joined_frames) {
  if (!CanGoOn(joined_frames)) return std::string();
  if (given_ == samples_.size()) {
    samples_.clear();
    given_ = 0;
    UNBRAID_RETURN_IF_ERROR(source_->Read(joined_frames, &samples_));
    DropUnwanted();
  }
  const int64_t left = static_cast<int64_t>((samples_.size() - given_) * sizeof(float));
  const int64_t bytes = std::min(left, kPartBytes / frame_bytes_ * frame_bytes_);
  const int64_t count = bytes / static_cast<int64_t>(sizeof(float));
  std::string part(audio::AsBytes(samples_.data() + given_, count));
  given_ += static_cast<size_t>(count);
  offset_ += bytes;
  return part;
}

void StemFollower::DropUnwanted() {
  given_ = std::min(samples_.size(), static_cast<size_t>(unwanted_samples_));
  unwanted_samples_ -= static_cast<int64_t>(given_);
}

}  // namespace unbraid::assembler
