#include "services/worker/torch/cuda_lanes.h"

#include <ATen/Functions.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <map>
#include <utility>
#include <vector>

namespace unbraid::worker {
namespace {

class CudaLanes : public Lanes {
 public:
  explicit CudaLanes(int gpu) : gpu_(static_cast<c10::DeviceIndex>(gpu)) {
    for (int lane = kUpload; lane <= kDownload; ++lane) {
      streams_.push_back(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, gpu_));
    }
  }

  at::Device device() const override { return at::Device(at::kCUDA, gpu_); }

  std::unique_ptr<Guard> Use(Lane lane) override {
    return std::make_unique<StreamGuard>(streams_[lane]);
  }

  void Mark(Lane lane, int slot) override { marks_[{lane, slot}].record(streams_[lane]); }

  void Follow(Lane lane, Lane earlier, int slot) override {
    marks_[{earlier, slot}].block(streams_[lane]);
  }

  void Await(Lane lane, int slot) override { marks_[{lane, slot}].synchronize(); }

  at::Tensor HostBuffer(int64_t samples) override {
    return at::empty({samples}, at::TensorOptions().dtype(at::kFloat).pinned_memory(true));
  }

  void ReleaseMemory() override { c10::cuda::CUDACachingAllocator::emptyCache(); }

 private:
  class StreamGuard : public Guard {
   public:
    explicit StreamGuard(const c10::cuda::CUDAStream& stream) : guard_(stream) {}

   private:
    c10::cuda::CUDAStreamGuard guard_;  // sets the device as well
  };

  const c10::DeviceIndex gpu_;
  std::vector<c10::cuda::CUDAStream> streams_;
  // An event that was never recorded holds nobody up.
  std::map<std::pair<Lane, int>, at::cuda::CUDAEvent> marks_;
};

}  // namespace

std::unique_ptr<Lanes> MakeCudaLanes(int gpu) { return std::make_unique<CudaLanes>(gpu); }

}  // namespace unbraid::worker
