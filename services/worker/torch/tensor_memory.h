#ifndef UNBRAID_SERVICES_WORKER_TORCH_TENSOR_MEMORY_H_
#define UNBRAID_SERVICES_WORKER_TORCH_TENSOR_MEMORY_H_

#include <cstddef>

namespace unbraid::worker {

// Tensors of at least so many bytes are kept by us; smaller ones by malloc, as before.
constexpr size_t kLargeTensorBytes = 128 << 10;

// From now on, the memory of large tensors stays with the process from one window to the next.
// Every window takes the same sizes again, and malloc would have the system take each of them
// away and give it anew, one zeroed page at a time. May be called again. Not with the address
// sanitizer, which watches what malloc gives.
void KeepTensorMemory();

// Gives what no tensor uses back to the system.
void TrimTensorMemory();

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_TENSOR_MEMORY_H_
