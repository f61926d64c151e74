#ifndef UNBRAID_SERVICES_WORKER_TORCH_TORCH_EXECUTOR_H_
#define UNBRAID_SERVICES_WORKER_TORCH_TORCH_EXECUTOR_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/common/model/package.h"
#include "services/worker/executor.h"
#include "services/worker/torch/lanes.h"

namespace unbraid::worker {

struct Graph;

// The TorchScript graphs of a package on a device with lanes. Two slots: a batch is uploaded and
// begun while the one before it is computed or downloaded. Each slot has buffers on the host and on
// the device that are kept from batch to batch, and grow to the largest one.
class TorchExecutor : public Executor {
 public:
  // As TorchSeparator::Load, and RESOURCE_EXHAUSTED when the device's memory does not do.
  static absl::StatusOr<std::unique_ptr<Executor>> Load(const model::Package& package, int threads,
                                                        std::unique_ptr<Lanes> lanes);
  ~TorchExecutor() override;

  const Geometry& geometry() const override { return geometry_; }
  // Bytes of tensors, on the device and of the host's buffers, as libtorch's allocators count them.
  const Footprint& footprint() const override { return footprint_; }
  int slots() const override { return kSlots; }
  absl::Status Upload(int slot, absl::Span<const float> windows) override;
  absl::Status Compute(int slot, absl::Span<const int> wanted) override;
  absl::Status Download(int slot) override;
  absl::StatusOr<absl::Span<const float>> Await(int slot) override;
  void ReleaseMemory() override;

 private:
  static constexpr int kSlots = 2;
  struct Slot;

  TorchExecutor(const Geometry& geometry, std::vector<std::unique_ptr<Graph>> graphs,
                std::unique_ptr<Lanes> lanes);

  absl::Status WarmUp(const model::Package& package);
  void MakeRoom(int64_t windows, int number);

  const Geometry geometry_;
  const std::unique_ptr<Lanes> lanes_;
  std::vector<std::unique_ptr<Graph>> graphs_;
  std::vector<std::unique_ptr<Slot>> slots_;
  Footprint footprint_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_TORCH_EXECUTOR_H_
