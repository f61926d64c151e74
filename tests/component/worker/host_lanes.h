#ifndef UNBRAID_TESTS_COMPONENT_WORKER_HOST_LANES_H_
#define UNBRAID_TESTS_COMPONENT_WORKER_HOST_LANES_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/model/package.h"
#include "services/worker/executor.h"

namespace unbraid::worker {

// The CPU as a device with lanes, whose work is done at once. Known to tests by this alone:
// libtorch's headers and Catch's have macros of the same names.
struct HostLanesBook {
  std::vector<std::string> log;                                // what was asked of the lanes
  int64_t most_samples = std::numeric_limits<int64_t>::max();  // of one buffer
};

// A TorchExecutor on such lanes, which must not outlive the book.
absl::StatusOr<std::unique_ptr<Executor>> LoadOnHostLanes(const model::Package& package,
                                                          HostLanesBook* book);

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_COMPONENT_WORKER_HOST_LANES_H_
