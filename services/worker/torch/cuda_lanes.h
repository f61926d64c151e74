#ifndef UNBRAID_SERVICES_WORKER_TORCH_CUDA_LANES_H_
#define UNBRAID_SERVICES_WORKER_TORCH_CUDA_LANES_H_

#include <memory>

#include "services/worker/torch/lanes.h"

namespace unbraid::worker {

// A stream of its own for each lane of a GPU, events as marks, pinned memory on the host. Only in a
// build with a libtorch that has CUDA. Throws what libtorch throws.
std::unique_ptr<Lanes> MakeCudaLanes(int gpu);

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_CUDA_LANES_H_
