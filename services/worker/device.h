#ifndef UNBRAID_SERVICES_WORKER_DEVICE_H_
#define UNBRAID_SERVICES_WORKER_DEVICE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unbraid::worker {

// Where models run.
struct DeviceName {
  static constexpr int kCpu = -1;

  int gpu = kCpu;  // which of the GPUs that libtorch sees, from 0

  bool cuda() const { return gpu != kCpu; }
  std::string ToString() const;
};

// Reads `cpu`, `cuda` or `cuda:N`. INVALID_ARGUMENT says what is possible.
absl::StatusOr<DeviceName> ParseDevice(absl::string_view text);

// What a failure of the runtime on a GPU means, told by its words, since TorchScript passes nothing
// else on: RESOURCE_EXHAUSTED for a lack of memory, UNAVAILABLE when the device answers this
// process no more, INTERNAL for everything else: the model fails. The words are kept.
absl::Status StatusOfGpuFailure(absl::string_view words);

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_DEVICE_H_
