#ifndef UNBRAID_SERVICES_WORKER_TASK_CHECK_H_
#define UNBRAID_SERVICES_WORKER_TASK_CHECK_H_

#include "absl/status/status.h"
#include "services/common/model/package.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::worker {

// The reasons of ChunkFailure, beside samples::kSamplesMissing.
inline constexpr char kBadChecksum[] = "BAD_CHECKSUM";
inline constexpr char kBadTask[] = "BAD_TASK";
inline constexpr char kModelMismatch[] = "MODEL_MISMATCH";
inline constexpr char kModelError[] = "MODEL_ERROR";
inline constexpr char kNonFiniteResult[] = "NON_FINITE_RESULT";

// OK when `package` can compute the task. Otherwise an error whose reason is MODEL_MISMATCH,
// SAMPLES_MISSING, BAD_CHECKSUM or BAD_TASK, looked at in this order: samples that were damaged on
// the way are told apart from samples that were sent wrong.
absl::Status CheckTask(const internal::v1::ChunkTask& task, const model::Package& package);

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TASK_CHECK_H_
