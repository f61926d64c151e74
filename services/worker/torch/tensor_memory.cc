#include "services/worker/torch/tensor_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <torch/version.h>
#include <unistd.h>

#include <cstring>

#include "services/worker/block_arena.h"

// libtorch 2.3 no longer asks a constant allocator.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
#define UNBRAID_ALLOCATE_CONST
#else
#define UNBRAID_ALLOCATE_CONST const
#endif

namespace unbraid::worker {
namespace {

// Twice the machine's memory: gaps take addresses too.
size_t ReservedBytes() {
  return 2 * static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Never destroyed: tensors may live as long as the process.
BlockArena& Arena() {
  static auto& arena = *new BlockArena(ReservedBytes());
  return arena;
}

void Free(void* block) {
  if (block == nullptr) return;
  c10::profiledCPUMemoryReporter().Delete(block);
  if (Arena().Owns(block)) {
    Arena().GiveBack(block);
  } else {
    c10::free_cpu(block);
  }
}

class KeepingAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) UNBRAID_ALLOCATE_CONST override {
    void* block = bytes >= kLargeTensorBytes ? Arena().Take(bytes) : nullptr;
    // Also where the process may not have so many addresses.
    if (block == nullptr) block = c10::alloc_cpu(bytes);
    c10::profiledCPUMemoryReporter().New(block, bytes);
    return {block, block, &Free, c10::Device(c10::kCPU)};
  }

  // Some of libtorch's convolutions take memory without a tensor around it.
  c10::DeleterFnPtr raw_deleter() const override { return &Free; }

#if TORCH_VERSION_MAJOR >= 2
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
#endif
};

}  // namespace

void KeepTensorMemory() {
#if defined(__SANITIZE_ADDRESS__)
  return;  // it would not see what is read behind a tensor
#endif
  static auto& allocator = *new KeepingAllocator;
  c10::SetCPUAllocator(&allocator, /*priority=*/1);
}

void TrimTensorMemory() { Arena().Trim(); }

}  // namespace unbraid::worker
