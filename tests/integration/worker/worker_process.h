#ifndef UNBRAID_TESTS_INTEGRATION_WORKER_WORKER_PROCESS_H_
#define UNBRAID_TESTS_INTEGRATION_WORKER_WORKER_PROCESS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/support/broker.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_dir.h"

namespace unbraid::worker {

// The real worker, as a process. One thread at a time.
class WorkerProcess {
 public:
  // Starts it with probes at a free port and whatever `flags` add. Returns at once.
  static absl::StatusOr<std::unique_ptr<WorkerProcess>> Start(
      const test_support::Broker& broker, const std::vector<std::string>& flags);

  // The answer to GET `path`; UNAVAILABLE (with the body as message) unless it is 200.
  absl::StatusOr<std::string> Get(const std::string& path);

  // Asks until /readyz says yes.
  absl::Status AwaitReady();
  // Asks until /readyz says no.
  absl::Status AwaitUnready();
  // Asks until /metrics holds this line.
  absl::Status AwaitMetric(const std::string& line);

  // Bytes of memory that the process holds now.
  int64_t ResidentBytes() const;

  std::string Log() const;
  test_support::ChildProcess& process() { return process_; }

 private:
  WorkerProcess() = default;
  template <typename Done>
  absl::Status Poll(const std::string& what, Done done);

  const test_support::TempDir folder_;
  std::string http_;  // HOST:PORT, once known
  test_support::ChildProcess process_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_INTEGRATION_WORKER_WORKER_PROCESS_H_
