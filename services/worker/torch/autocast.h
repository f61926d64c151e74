#ifndef UNBRAID_SERVICES_WORKER_TORCH_AUTOCAST_H_
#define UNBRAID_SERVICES_WORKER_TORCH_AUTOCAST_H_

#include "absl/status/status.h"
#include "services/worker/precision.h"

namespace unbraid::worker {

// FAILED_PRECONDITION, with the reason and what to do, where this libtorch or this processor
// cannot compute in `precision`. It is never replaced by another one.
absl::Status CheckPrecision(Precision precision);

// While it lives, its thread computes what gains from it in `precision`, which has been checked.
class Autocast {
 public:
  explicit Autocast(Precision precision);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  const bool on_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_AUTOCAST_H_
