#include "services/worker/torch/torch_runtime.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <exception>

#include "absl/strings/str_cat.h"

namespace unbraid::worker {
namespace {

// libtorch lets this be set once in a process, and only before its pool has begun.
absl::Status SetInteropThreadsOnce() {
  static const absl::Status once = []() -> absl::Status {
    try {
      at::set_num_interop_threads(1);
      return absl::OkStatus();
    } catch (const std::exception& error) {
      return absl::InternalError(absl::StrCat("libtorch: ", error.what()));
    }
  }();
  return once;
}

}  // namespace

absl::Status PrepareTorchThread(int threads) {
  const absl::Status interop = SetInteropThreadsOnce();
  if (!interop.ok()) return interop;
  try {
    at::set_num_threads(threads);
    at::globalContext().setFlushDenormal(true);
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("libtorch: ", error.what()));
  }
}

}  // namespace unbraid::worker
