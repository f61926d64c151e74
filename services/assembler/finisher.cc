#include "services/assembler/finisher.h"

#include "services/assembler/output_set.h"
#include "services/assembler/stem_reader.h"
#include "services/common/audio/levels.h"
#include "services/common/base/crew.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

// Less than this is no room.
constexpr int64_t kNoRoomBytes = int64_t{1} << 20;

constexpr int kMostThreads = 4;

// Writes the results of one separation.
class Finishing {
 public:
  Finishing(const Job& job, const ChunkFiles& files, const std::atomic<bool>& cancelled,
            const std::function<void(double)>& progress)
      : job_(job),
        files_(files),
        cancelled_(cancelled),
        progress_(progress),
        format_(job.output_format()),
        outputs_(job, files, &crew_) {}

  absl::StatusOr<FinishResult> Run() {
    UNBRAID_ASSIGN_OR_RETURN(const float gain, WriteUnchanged());
    if (gain != 1) UNBRAID_RETURN_IF_ERROR(WriteWith(gain));
    FinishResult result;
    result.gain_db = audio::ToDecibel(gain);
    result.clipped_samples = outputs_.clipped_samples();
    UNBRAID_ASSIGN_OR_RETURN(result.outputs, outputs_.Finish());
    return result;
  }

 private:
  using BlockVisitor = std::function<absl::Status(const StemReader::Block&)>;

  // Most songs do not clip, so they are written while the peaks are looked for. From the first
  // sample on that does they are looked for alone. Gives the gain with which to write again.
  absl::StatusOr<float> WriteUnchanged() {
    const bool may_clip = audio::TakesGain(format_);
    audio::PeakMeter meter;
    UNBRAID_RETURN_IF_ERROR(outputs_.Create());
    bool writing = true;
    UNBRAID_RETURN_IF_ERROR(
        ForEachBlock(0, may_clip ? 0.5 : 1, [&](const StemReader::Block& block) {
          if (may_clip) outputs_.Measure(block, &meter);
          if (writing && audio::CommonGain(meter, format_) != 1) {
            outputs_.Discard();
            writing = false;
          }
          return writing ? outputs_.Write(block, 1) : absl::OkStatus();
        }));
    return audio::CommonGain(meter, format_);
  }

  absl::Status WriteWith(float gain) {
    UNBRAID_RETURN_IF_ERROR(outputs_.Create());
    return ForEachBlock(
        0.5, 1, [&](const StemReader::Block& block) { return outputs_.Write(block, gain); });
  }

  // Tells progress between these two shares.
  absl::Status ForEachBlock(double begin, double end, const BlockVisitor& visit) {
    UNBRAID_ASSIGN_OR_RETURN(StemReader reader, StemReader::Open(job_, files_, &crew_));
    while (true) {
      if (cancelled_) return absl::CancelledError("the separation has ended");
      UNBRAID_ASSIGN_OR_RETURN(const bool more, reader.Next(&block_));
      if (!more) return absl::OkStatus();
      UNBRAID_RETURN_IF_ERROR(visit(block_));
      progress_(begin + reader.share() * (end - begin));
    }
  }

  const Job& job_;
  const ChunkFiles& files_;
  const std::atomic<bool>& cancelled_;
  const std::function<void(double)>& progress_;
  const audio::OutputFormat format_;
  base::Crew crew_{kMostThreads};
  OutputSet outputs_;
  StemReader::Block block_;
};

}  // namespace

absl::StatusOr<FinishResult> Finish(const Job& job, const ChunkFiles& files,
                                    const std::atomic<bool>& cancelled,
                                    const std::function<void(double share)>& progress) {
  absl::StatusOr<FinishResult> result = Finishing(job, files, cancelled, progress).Run();
  if (result.ok() || absl::IsResourceExhausted(result.status()) ||
      absl::IsCancelled(result.status()))
    return result;
  // What writes audio does not always say why it failed, least of all when it completes a file.
  const absl::StatusOr<int64_t> free = store::FreeBytes(files.folder());
  if (!free.ok() || *free >= kNoRoomBytes) return result;
  return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", result.status().message());
}

}  // namespace unbraid::assembler
