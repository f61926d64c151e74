#ifndef UNBRAID_SERVICES_COMMON_BASE_CREW_H_
#define UNBRAID_SERVICES_COMMON_BASE_CREW_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "services/common/base/executor.h"

namespace unbraid::base {

// Does the parts of one piece of work side by side, on threads of its own, which it has from its
// first work on, and on the caller's. Used by one thread at a time.
class Crew {
 public:
  // So many threads at most, the caller's included, and no more than there are processors.
  explicit Crew(int threads);

  // Runs `part` for 0 .. count - 1, each once, in any order, and waits for all. The error of the
  // lowest part that failed.
  absl::Status Run(int count, const std::function<absl::Status(int)>& part);

 private:
  const int helpers_;
  std::unique_ptr<Executor> executor_;  // from the first work on, if there are helpers
};

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_CREW_H_
