#ifndef UNBRAID_TESTS_SUPPORT_CHILD_PROCESS_H_
#define UNBRAID_TESTS_SUPPORT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace unbraid::test_support {

// A process that a test has started. It is stopped by its own id when the object goes; never
// anything else. One thread at a time.
class ChildProcess {
 public:
  struct Command {
    std::vector<std::string> arguments;  // the first is the program, looked up in PATH
    // The whole environment of the child. Empty: the parent's.
    std::map<std::string, std::string> environment;
    std::string output_file;  // both streams, appended; empty: discarded
  };

  static absl::StatusOr<ChildProcess> Start(const Command& command);

  ChildProcess() = default;
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  pid_t pid() const { return pid_; }
  bool running();

  absl::Status Signal(int signal_number);

  // The exit code, or 128 + signal. DEADLINE_EXCEEDED when it still runs.
  absl::StatusOr<int> Wait(absl::Duration timeout);

  // SIGTERM, and SIGKILL when it has not ended after `grace`. The exit code as Wait gives it.
  absl::StatusOr<int> Terminate(absl::Duration grace);

 private:
  pid_t pid_ = -1;
  int descriptor_ = -1;  // a pidfd, so that waiting has a time limit
  int exit_code_ = -1;
};

// Runs a command to its end; its output, or an error with the output when it fails.
absl::StatusOr<std::string> RunToEnd(ChildProcess::Command command, absl::Duration timeout);

}  // namespace unbraid::test_support

#endif  // UNBRAID_TESTS_SUPPORT_CHILD_PROCESS_H_
