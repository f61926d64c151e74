#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/temp_dir.h"

// The header of glibc 2.36 lacks it.
extern "C" {
#include <sys/pidfd.h>
}

extern char** environ;

namespace unbraid::test_support {
namespace {

constexpr int kSignalBase = 128;

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// A child starts with the default signals, whatever the test has set for itself.
void SetUpSignals(posix_spawnattr_t* attributes) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(attributes, &none);
  posix_spawnattr_setsigdefault(attributes, &all);
  posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

}  // namespace

absl::StatusOr<ChildProcess> ChildProcess::Start(const Command& command) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment;
  for (const auto& [name, value] : command.environment) environment.push_back(name + "=" + value);
  const std::string output = command.output_file.empty() ? "/dev/null" : command.output_file;

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  SetUpSignals(&attributes);

  ChildProcess child;
  const int error = posix_spawnp(&child.pid_, arguments.front().c_str(), &actions, &attributes,
                                 Pointers(&arguments).data(),
                                 environment.empty() ? environ : Pointers(&environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    child.pid_ = -1;
    return absl::InternalError(
        absl::StrCat("cannot start ", absl::StrJoin(arguments, " "), ": ", std::strerror(error)));
  }
  child.descriptor_ = pidfd_open(child.pid_, 0);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept { *this = std::move(other); }

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(exit_code_, other.exit_code_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (running()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (descriptor_ >= 0) close(descriptor_);
}

bool ChildProcess::running() { return pid_ > 0 && !Wait(absl::ZeroDuration()).ok(); }

absl::Status ChildProcess::Signal(int signal_number) {
  if (!running()) return absl::FailedPreconditionError("the process does not run");
  if (kill(pid_, signal_number) == 0) return absl::OkStatus();
  return absl::InternalError(std::strerror(errno));
}

absl::StatusOr<int> ChildProcess::Wait(absl::Duration timeout) {
  if (pid_ <= 0) {
    if (exit_code_ < 0) return absl::FailedPreconditionError("no process was started");
    return exit_code_;
  }
  pollfd ended = {descriptor_, POLLIN, 0};
  if (poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) <= 0) {
    return absl::DeadlineExceededError(absl::StrCat("process ", pid_, " still runs"));
  }
  int state = 0;
  waitpid(pid_, &state, 0);
  pid_ = -1;
  exit_code_ = WIFEXITED(state) ? WEXITSTATUS(state) : kSignalBase + WTERMSIG(state);
  return exit_code_;
}

absl::StatusOr<int> ChildProcess::Terminate(absl::Duration grace) {
  if (!running()) return Wait(absl::ZeroDuration());
  kill(pid_, SIGTERM);
  absl::StatusOr<int> code = Wait(grace);
  if (code.ok()) return code;
  kill(pid_, SIGKILL);
  return Wait(absl::Seconds(10));
}

absl::StatusOr<std::string> RunToEnd(ChildProcess::Command command, absl::Duration timeout) {
  const TempDir folder;
  command.output_file = folder.path() + "/output";
  absl::StatusOr<ChildProcess> child = ChildProcess::Start(command);
  if (!child.ok()) return child.status();
  absl::StatusOr<int> code = child->Wait(timeout);
  std::ifstream file(command.output_file);
  std::string output{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!code.ok()) return code.status();
  if (*code == 0) return output;
  return absl::InternalError(
      absl::StrCat(absl::StrJoin(command.arguments, " "), " ended with ", *code, ": ", output));
}

}  // namespace unbraid::test_support
