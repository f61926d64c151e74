#ifndef UNBRAID_SERVICES_WORKER_SETTLEMENT_H_
#define UNBRAID_SERVICES_WORKER_SETTLEMENT_H_

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace unbraid::worker {

// Waits for the confirms of all results of one chunk: a chunk is acknowledged only when the broker
// has every one of them, because a worker that dies in between must leave the chunk to another.
// Shared by the callbacks of the results. Thread-safe.
class Settlement {
 public:
  // `settled` is called once, with no lock held, on the thread of the last decision: OK when all
  // `parts` are confirmed, otherwise the first error.
  static std::shared_ptr<Settlement> Create(size_t parts,
                                            std::function<void(absl::Status)> settled);

  // One result is decided.
  void Decide(const absl::Status& status);

 private:
  Settlement(size_t parts, std::function<void(absl::Status)> settled);

  const std::function<void(absl::Status)> settled_;
  absl::Mutex mutex_;
  size_t undecided_ ABSL_GUARDED_BY(mutex_);
  absl::Status outcome_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_SETTLEMENT_H_
