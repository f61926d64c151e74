#include "services/worker/torch/torch_runtime.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <exception>

#include "absl/strings/str_cat.h"
#include "services/worker/torch/tensor_memory.h"

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

// OpenBLAS has threads of its own, one for each core, of which libtorch knows nothing: on a machine
// that has other work they wait for each other. Other libraries have no such function, and obey
// libtorch.
void SetBlasThreads(int threads) {
  if (void* const function = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) {
    reinterpret_cast<void (*)(int)>(function)(threads);
  }
}

}  // namespace

absl::Status PrepareTorchThread(int threads) {
  const absl::Status interop = SetInteropThreadsOnce();
  if (!interop.ok()) return interop;
  KeepTensorMemory();
  SetBlasThreads(threads);
  try {
    at::set_num_threads(threads);
    at::globalContext().setFlushDenormal(true);
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("libtorch: ", error.what()));
  }
}

}  // namespace unbraid::worker
