#include "services/worker/torch/autocast.h"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

#include "absl/strings/str_cat.h"

// The autocast of libtorch 1.13 takes a transposed convolution for a plain one, and leaves the
// weights of fused attention as they are: most models fail in it.
#define UNBRAID_TORCH_AUTOCAST \
  (TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4))

namespace unbraid::worker {

absl::Status CheckPrecision(Precision precision) {
  if (precision == Precision::kFloat32) return absl::OkStatus();
#if UNBRAID_TORCH_AUTOCAST
  if (__builtin_cpu_supports("avx512bf16") != 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "--precision bf16: this processor has no instructions for bfloat16 (avx512_bf16), so it "
      "would "
      "be slower; take --precision f32");
#else
  return absl::FailedPreconditionError(
      absl::StrCat("--precision bf16: this worker was built with libtorch ", TORCH_VERSION,
                   ", which cannot do it; build it with libtorch 2.4 or later (UNBRAID_LIBTORCH in "
                   "CONTRIBUTING.md), or take --precision f32"));
#endif
}

#if UNBRAID_TORCH_AUTOCAST

Autocast::Autocast(Precision precision) : on_(precision == Precision::kBfloat16) {
  if (!on_) return;
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!on_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
}

#else

Autocast::Autocast(Precision /*precision*/) : on_(false) {}

Autocast::~Autocast() { (void)on_; }

#endif

}  // namespace unbraid::worker
