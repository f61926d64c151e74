#include "services/worker/settlement.h"

#include <utility>

namespace unbraid::worker {

std::shared_ptr<Settlement> Settlement::Create(size_t parts,
                                               std::function<void(absl::Status)> settled) {
  return std::shared_ptr<Settlement>(new Settlement(parts, std::move(settled)));
}

Settlement::Settlement(size_t parts, std::function<void(absl::Status)> settled)
    : settled_(std::move(settled)), undecided_(parts) {}

void Settlement::Decide(const absl::Status& status) {
  absl::Status outcome;
  {
    absl::MutexLock lock(&mutex_);
    outcome_.Update(status);
    if (--undecided_ > 0) return;
    outcome = outcome_;
  }
  settled_(std::move(outcome));
}

}  // namespace unbraid::worker
