#ifndef UNBRAID_SERVICES_WORKER_PRECISION_H_
#define UNBRAID_SERVICES_WORKER_PRECISION_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unbraid::worker {

// What a model's products are computed in. What goes in and comes out is float32 always.
enum class Precision {
  kFloat32,
  // Matrices and convolutions in bfloat16, summed up in float32; everything else in float32.
  kBfloat16,
};

// Reads `f32` or `bf16`. INVALID_ARGUMENT says what is possible.
absl::StatusOr<Precision> ParsePrecision(absl::string_view text);

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_PRECISION_H_
