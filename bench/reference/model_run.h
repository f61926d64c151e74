#ifndef UNBRAID_BENCH_REFERENCE_MODEL_RUN_H_
#define UNBRAID_BENCH_REFERENCE_MODEL_RUN_H_

#include <vector>

#include "absl/status/statusor.h"
#include "bench/reference/join.h"
#include "bench/reference/song.h"
#include "services/common/model/package.h"

namespace unbraid::reference {

// What a model yields for each window of a song: [stem][window], interleaved.
using ModelOutput = std::vector<std::vector<std::vector<float>>>;

// Runs the model over all windows, one after the other, as a worker with one thread does. `song` is
// at the model's rate.
absl::StatusOr<ModelOutput> RunModel(const Song& song, const model::Package& package,
                                     const std::vector<Cut>& cuts);

}  // namespace unbraid::reference

#endif  // UNBRAID_BENCH_REFERENCE_MODEL_RUN_H_
