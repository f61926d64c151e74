#include "services/worker/torch/torch_device.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "services/common/base/status.h"
#include "services/worker/inline_executor.h"
#include "services/worker/torch/autocast.h"
#include "services/worker/torch/torch_separator.h"

#if UNBRAID_TORCH_CUDA
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

#include <exception>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/worker/torch/cuda_lanes.h"
#include "services/worker/torch/graph.h"
#include "services/worker/torch/torch_executor.h"
#endif

namespace unbraid::worker {
namespace {

absl::StatusOr<std::unique_ptr<Executor>> LoadOnCpu(const model::Package& package, int threads,
                                                    Precision precision) {
  UNBRAID_ASSIGN_OR_RETURN(std::unique_ptr<Separator> separator,
                           TorchSeparator::Load(package, threads, precision));
  return std::make_unique<InlineExecutor>(std::move(separator));
}

#if UNBRAID_TORCH_CUDA

std::string TitleOf(int gpu) { return at::cuda::getDeviceProperties(gpu)->name; }

absl::StatusOr<std::unique_ptr<Executor>> LoadOnGpu(const model::Package& package, int threads,
                                                    int gpu) {
  try {
    // The results of the CPU to float32's rounding, and the same ones each time.
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
    at::globalContext().setBenchmarkCuDNN(false);
    return TorchExecutor::Load(package, threads, MakeCudaLanes(gpu));
  } catch (const std::exception& error) {
    return StatusOfGpuFailure(Words(error));
  }
}

absl::StatusOr<Device> OpenGpu(const DeviceName& name, int threads) {
  const int count = c10::cuda::device_count();
  std::vector<std::string> titles;
  try {
    for (int gpu = 0; gpu < count; ++gpu) titles.push_back(TitleOf(gpu));
  } catch (const std::exception& error) {
    return absl::FailedPreconditionError(absl::StrCat("--device cuda: ", Words(error)));
  }
  if (name.gpu >= count) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--device ", name.ToString(), ": libtorch sees ",
        count == 0 ? "no GPU; is there a driver, and may this process use it?"
                   : absl::StrCat("only ", count, ", from cuda:0: ", absl::StrJoin(titles, ", "))));
  }
  return Device{titles[static_cast<size_t>(name.gpu)],
                [threads, gpu = name.gpu](const model::Package& package) {
                  return LoadOnGpu(package, threads, gpu);
                }};
}

#else

absl::StatusOr<Device> OpenGpu(const DeviceName& name, int /*threads*/) {
  return absl::FailedPreconditionError(
      "--device " + name.ToString() +
      ": this worker was built with a libtorch that has no CUDA; there is only --device cpu");
}

#endif

}  // namespace

absl::StatusOr<Device> OpenDevice(const DeviceName& name, int threads, Precision precision) {
  if (name.cuda() && precision != Precision::kFloat32) {
    return absl::FailedPreconditionError("--precision: on a GPU there is only f32");
  }
  if (name.cuda()) return OpenGpu(name, threads);
  UNBRAID_RETURN_IF_ERROR(CheckPrecision(precision));
  return Device{"CPU", [threads, precision](const model::Package& package) {
                  return LoadOnCpu(package, threads, precision);
                }};
}

int64_t PeakGpuBytes(const DeviceName& name) {
#if UNBRAID_TORCH_CUDA
  if (!name.cuda()) return 0;
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(name.gpu);
  return stats.reserved_bytes[0].peak;
#else
  (void)name;
  return 0;
#endif
}

}  // namespace unbraid::worker
