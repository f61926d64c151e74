#ifndef UNBRAID_SERVICES_ASSEMBLER_FINISHER_H_
#define UNBRAID_SERVICES_ASSEMBLER_FINISHER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/job.h"
#include "services/assembler/output_set.h"
#include "services/assembler/stem_reader.h"
#include "services/common/audio/format.h"
#include "services/common/audio/levels.h"
#include "services/common/base/crew.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::assembler {

struct FinishResult {
  double gain_db = 0;
  int64_t clipped_samples = 0;
  std::vector<v1::StemFile> outputs;  // in the model's order, then the mix, then the residual
};

// Makes the results out of the joined files of a separation: back to the track's own rate and exact
// frame count, the mix, the residual, one common gain where an integer or lossy format would clip
// (or limited samples, as the clip policy says), tags, files that appear whole or not at all.
//
// Takes the joined files as they grow, so that little is left to do when they are complete; when it
// does so changes nothing in the results. Reads only the job and its files, and holds a block at a
// time. After an error, or a crash, another one begins anew. Not thread-safe.
//
// Errors: CANCELLED once `cancelled` is set, RESOURCE_EXHAUSTED when the disk is full,
// FAILED_PRECONDITION (OUTPUT_NOT_FINITE) when a sample of an output would be no number.
class Finisher {
 public:
  Finisher(const Job& job, ChunkFiles files, std::shared_ptr<const std::atomic<bool>> cancelled);
  Finisher(const Finisher&) = delete;
  Finisher& operator=(const Finisher&) = delete;

  // Takes whole blocks of the first `joined_frames` of the joined files.
  absl::Status Advance(int64_t joined_frames);

  // The joined files are complete. Once, and then nothing else.
  absl::StatusOr<FinishResult> Finish(const std::function<void(double share)>& progress);

 private:
  absl::StatusOr<FinishResult> Complete(const std::function<void(double share)>& progress);
  // Visits `block_` for each block that the joined files hold and that was not visited yet.
  absl::Status ForEachBlock(int64_t joined_frames, const std::function<absl::Status()>& visit);
  absl::Status Take();
  absl::Status Explained(absl::Status status) const;

  const Job job_;
  const ChunkFiles files_;
  const std::shared_ptr<const std::atomic<bool>> cancelled_;
  const audio::OutputFormat format_;
  const bool may_clip_;
  base::Crew crew_;
  OutputSet outputs_;
  std::optional<StemReader> reader_;
  audio::PeakMeter meter_;
  bool writing_ = true;  // nothing has clipped so far
  StemReader::Block block_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_FINISHER_H_
