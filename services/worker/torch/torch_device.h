#ifndef UNBRAID_SERVICES_WORKER_TORCH_TORCH_DEVICE_H_
#define UNBRAID_SERVICES_WORKER_TORCH_TORCH_DEVICE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "services/worker/device.h"
#include "services/worker/precision.h"
#include "services/worker/worker.h"

namespace unbraid::worker {

// The device of that name, with `threads` threads for an inference on the CPU. FAILED_PRECONDITION
// when there is none, with what there is: a GPU is never replaced by the CPU, nor a precision that
// there is not by another. On a GPU there is float32 only.
absl::StatusOr<Device> OpenDevice(const DeviceName& name, int threads,
                                  Precision precision = Precision::kFloat32);

// Bytes of a GPU's memory that libtorch has held at most so far; 0 for the CPU.
int64_t PeakGpuBytes(const DeviceName& name);

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_TORCH_DEVICE_H_
