#ifndef UNBRAID_SERVICES_WORKER_INLINE_EXECUTOR_H_
#define UNBRAID_SERVICES_WORKER_INLINE_EXECUTOR_H_

#include <memory>
#include <vector>

#include "services/worker/executor.h"

namespace unbraid::worker {

// A separator that computes on the calling thread: one slot, nothing is copied, Compute returns
// when the batch is computed.
class InlineExecutor : public Executor {
 public:
  explicit InlineExecutor(std::unique_ptr<Separator> separator);

  const Geometry& geometry() const override { return separator_->geometry(); }
  const Footprint& footprint() const override { return separator_->footprint(); }
  int slots() const override { return 1; }
  absl::Status Upload(int slot, absl::Span<const float> windows) override;
  absl::Status Compute(int slot, absl::Span<const int> wanted) override;
  absl::Status Download(int slot) override;
  absl::StatusOr<absl::Span<const float>> Await(int slot) override;
  void ReleaseMemory() override {}

 private:
  const std::unique_ptr<Separator> separator_;
  absl::Span<const float> windows_;
  std::vector<float> stems_;  // its memory is kept from batch to batch
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_INLINE_EXECUTOR_H_
