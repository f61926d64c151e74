#include "services/assembler/finisher.h"

#include <utility>

#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

// Less than this is no room.
constexpr int64_t kNoRoomBytes = int64_t{1} << 20;

constexpr int kMostThreads = 4;

// What is known of single chunks is not needed any more, and may be much.
Job WithoutChunks(Job job) {
  job.chunk_records = {};
  return job;
}

}  // namespace

Finisher::Finisher(const Job& job, ChunkFiles files,
                   std::shared_ptr<const std::atomic<bool>> cancelled)
    : job_(WithoutChunks(job)),
      files_(std::move(files)),
      cancelled_(std::move(cancelled)),
      format_(job.output_format()),
      may_clip_(audio::TakesGain(format_)),
      crew_(kMostThreads),
      outputs_(job_, files_, &crew_) {}

absl::Status Finisher::Advance(int64_t joined_frames) {
  return Explained(ForEachBlock(joined_frames, [this] { return Take(); }));
}

absl::StatusOr<FinishResult> Finisher::Finish(const std::function<void(double share)>& progress) {
  absl::StatusOr<FinishResult> result = Complete(progress);
  if (!result.ok()) return Explained(result.status());
  return result;
}

absl::StatusOr<FinishResult> Finisher::Complete(const std::function<void(double share)>& progress) {
  // All may have to be read once more.
  const double first = may_clip_ ? 0.5 : 1;
  UNBRAID_RETURN_IF_ERROR(ForEachBlock(job_.model_frames, [&]() -> absl::Status {
    UNBRAID_RETURN_IF_ERROR(Take());
    progress(reader_->share() * first);
    return absl::OkStatus();
  }));
  const float gain = audio::CommonGain(meter_, format_);
  if (gain != 1) {
    reader_.reset();
    UNBRAID_RETURN_IF_ERROR(ForEachBlock(job_.model_frames, [&]() -> absl::Status {
      UNBRAID_RETURN_IF_ERROR(outputs_.Write(block_, gain));
      progress(first + reader_->share() * (1 - first));
      return absl::OkStatus();
    }));
  }
  FinishResult result;
  result.gain_db = audio::ToDecibel(gain);
  result.clipped_samples = outputs_.clipped_samples();
  UNBRAID_ASSIGN_OR_RETURN(result.outputs, outputs_.Finish());
  return result;
}

absl::Status Finisher::ForEachBlock(int64_t joined_frames,
                                    const std::function<absl::Status()>& visit) {
  if (!reader_) {
    UNBRAID_RETURN_IF_ERROR(outputs_.Create());
    UNBRAID_ASSIGN_OR_RETURN(StemReader reader, StemReader::Open(job_, files_, &crew_));
    reader_.emplace(std::move(reader));
  }
  while (true) {
    if (*cancelled_) return absl::CancelledError("the separation has ended");
    UNBRAID_ASSIGN_OR_RETURN(const bool more, reader_->Next(joined_frames, &block_));
    if (!more) return absl::OkStatus();
    UNBRAID_RETURN_IF_ERROR(visit());
  }
}

// Most songs do not clip, so they are written while the peaks are looked for. From the first
// sample on that does they are looked for alone.
absl::Status Finisher::Take() {
  if (may_clip_) outputs_.Measure(block_, &meter_);
  if (writing_ && audio::CommonGain(meter_, format_) != 1) {
    outputs_.Discard();
    writing_ = false;
  }
  return writing_ ? outputs_.Write(block_, 1) : absl::OkStatus();
}

// What writes audio does not always say why it failed, least of all when it completes a file.
absl::Status Finisher::Explained(absl::Status status) const {
  if (status.ok() || absl::IsResourceExhausted(status) || absl::IsCancelled(status)) return status;
  const absl::StatusOr<int64_t> free = store::FreeBytes(files_.folder());
  if (!free.ok() || *free >= kNoRoomBytes) return status;
  return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", status.message());
}

}  // namespace unbraid::assembler
