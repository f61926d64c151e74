#include "services/worker/precision.h"

#include "absl/status/status.h"

namespace unbraid::worker {

absl::StatusOr<Precision> ParsePrecision(absl::string_view text) {
  if (text == "f32") return Precision::kFloat32;
  if (text == "bf16") return Precision::kBfloat16;
  return absl::InvalidArgumentError("--precision must be f32 or bf16");
}

}  // namespace unbraid::worker
