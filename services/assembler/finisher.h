#ifndef UNBRAID_SERVICES_ASSEMBLER_FINISHER_H_
#define UNBRAID_SERVICES_ASSEMBLER_FINISHER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/job.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::assembler {

struct FinishResult {
  double gain_db = 0;
  int64_t clipped_samples = 0;
  std::vector<v1::StemFile> outputs;  // in the model's order, then the mix, then the residual
};

// Makes the results out of the joined files of a separation: back to the track's own rate and exact
// frame count, the mix, the residual, one common gain where an integer or lossy format would clip
// (or limited samples, as the clip policy says), tags, files that appear whole or not at all. Reads
// only the job and its files, holds a block at a time, and can be begun again at any point.
// CANCELLED once `cancelled` is set, RESOURCE_EXHAUSTED when the disk is full, FAILED_PRECONDITION
// (OUTPUT_NOT_FINITE) when a sample of an output would be no number.
absl::StatusOr<FinishResult> Finish(const Job& job, const ChunkFiles& files,
                                    const std::atomic<bool>& cancelled,
                                    const std::function<void(double share)>& progress);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_FINISHER_H_
