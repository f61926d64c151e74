#include "services/assembler/finisher.h"

#include "services/assembler/output_set.h"
#include "services/assembler/stem_reader.h"
#include "services/common/audio/levels.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

// Less than this is no room.
constexpr int64_t kNoRoomBytes = int64_t{1} << 20;

using BlockVisitor = std::function<absl::Status(const StemReader::Block&)>;

absl::Status ForEachBlock(const Job& job, const ChunkFiles& files,
                          const std::atomic<bool>& cancelled,
                          const std::function<void(double)>& progress, const BlockVisitor& visit) {
  UNBRAID_ASSIGN_OR_RETURN(StemReader reader, StemReader::Open(job, files));
  StemReader::Block block;
  while (true) {
    if (cancelled) return absl::CancelledError("the separation has ended");
    UNBRAID_ASSIGN_OR_RETURN(const bool more, reader.Next(&block));
    if (!more) return absl::OkStatus();
    UNBRAID_RETURN_IF_ERROR(visit(block));
    progress(reader.share());
  }
}

absl::StatusOr<FinishResult> Write(const Job& job, const ChunkFiles& files,
                                   const std::atomic<bool>& cancelled,
                                   const std::function<void(double share)>& progress) {
  const audio::OutputFormat format = job.output_format();
  // For the gain, everything is read twice.
  const double first_pass = audio::TakesGain(format) ? 0.5 : 0;
  OutputSet outputs(job, files);
  audio::PeakMeter meter;
  if (audio::TakesGain(format)) {
    UNBRAID_RETURN_IF_ERROR(ForEachBlock(
        job, files, cancelled, [&](double share) { progress(share * first_pass); },
        [&](const StemReader::Block& block) {
          outputs.Measure(block, &meter);
          return absl::OkStatus();
        }));
  }
  const float gain = audio::CommonGain(meter, format);
  UNBRAID_RETURN_IF_ERROR(outputs.Create());
  UNBRAID_RETURN_IF_ERROR(ForEachBlock(
      job, files, cancelled, [&](double share) { progress(first_pass + share * (1 - first_pass)); },
      [&](const StemReader::Block& block) { return outputs.Write(block, gain); }));
  FinishResult result;
  result.gain_db = audio::ToDecibel(gain);
  result.clipped_samples = outputs.clipped_samples();
  UNBRAID_ASSIGN_OR_RETURN(result.outputs, outputs.Finish());
  return result;
}

}  // namespace

absl::StatusOr<FinishResult> Finish(const Job& job, const ChunkFiles& files,
                                    const std::atomic<bool>& cancelled,
                                    const std::function<void(double share)>& progress) {
  absl::StatusOr<FinishResult> result = Write(job, files, cancelled, progress);
  if (result.ok() || absl::IsResourceExhausted(result.status()) ||
      absl::IsCancelled(result.status()))
    return result;
  // What writes audio does not always say why it failed, least of all when it completes a file.
  const absl::StatusOr<int64_t> free = store::FreeBytes(files.folder());
  if (!free.ok() || *free >= kNoRoomBytes) return result;
  return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", result.status().message());
}

}  // namespace unbraid::assembler
