#ifndef UNBRAID_SERVICES_WORKER_TORCH_TORCH_RUNTIME_H_
#define UNBRAID_SERVICES_WORKER_TORCH_TORCH_RUNTIME_H_

#include "absl/status/status.h"

namespace unbraid::worker {

// Prepares libtorch for the calling thread, which is the one that will run models: so many threads
// within an operation, none across operations; denormal numbers flushed to zero (a processor is
// slow with them); and the memory of large tensors kept from window to window. May be called again.
absl::Status PrepareTorchThread(int threads);

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_TORCH_RUNTIME_H_
