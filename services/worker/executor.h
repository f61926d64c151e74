#ifndef UNBRAID_SERVICES_WORKER_EXECUTOR_H_
#define UNBRAID_SERVICES_WORKER_EXECUTOR_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/common/model/package.h"
#include "services/worker/separator.h"

namespace unbraid::worker {

// A loaded model on a device that may take in one batch, compute another and give out a third at
// the same time. Each batch has a slot and goes through the steps Upload, Compute, Download, Await,
// in this order; the first three only have to begin, and the device keeps the order within a slot.
// Not thread-safe: of the thread that made it.
//
// Errors of every step:
//   RESOURCE_EXHAUSTED   the device's memory does not do for this batch; a smaller one may fit
//   UNAVAILABLE          the device is lost for this process
//   INTERNAL             the model fails, in the runtime's own words
// The batch of the slot is lost then, the others are not, and the slot may be used again.
class Executor {
 public:
  virtual ~Executor() = default;

  virtual const Geometry& geometry() const = 0;

  // Of one window, measured when the model was loaded.
  virtual const Footprint& footprint() const = 0;

  // How many batches there may be at a time; 1 where nothing overlaps.
  virtual int slots() const = 0;

  // `windows`: one or more, one after the other, each planar; they stay as they are until Await.
  virtual absl::Status Upload(int slot, absl::Span<const float> windows) = 0;

  // `wanted`: positions of the stems that are asked for; no graph is run that makes none of them.
  virtual absl::Status Compute(int slot, absl::Span<const int> wanted) = 0;

  virtual absl::Status Download(int slot) = 0;

  // Waits for the batch. Gives [window][stem][channel][frame], where a stem that is not wanted
  // means nothing; valid until the next Upload to the slot.
  virtual absl::StatusOr<absl::Span<const float>> Await(int slot) = 0;

  // Gives back what the device's allocator keeps for later and no batch uses.
  virtual void ReleaseMemory() = 0;
};

// Loads a package and makes it ready: when it returns, no later call with one window is slower than
// the others. Called on the thread that will use the executor.
using ExecutorFactory =
    std::function<absl::StatusOr<std::unique_ptr<Executor>>(const model::Package&)>;

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_EXECUTOR_H_
