#include "services/common/decode/decoder_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/decode/child.h"

// The header of glibc 2.36 lacks it.
extern "C" {
#include <sys/pidfd.h>
}

namespace unbraid::decode {
namespace {

// Above the numbers that the child expects, so that moving one there cannot hit another.
constexpr int kFirstFreeDescriptor = 16;
constexpr absl::Duration kTick = absl::Milliseconds(1);

struct Pipe {
  Descriptor read;
  Descriptor write;
};

absl::Status SystemFailure(absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", std::strerror(errno)));
}

absl::StatusOr<Descriptor> Above(int descriptor) {
  Descriptor copy(fcntl(descriptor, F_DUPFD_CLOEXEC, kFirstFreeDescriptor));
  if (copy.number() < 0) return SystemFailure("cannot copy a descriptor");
  return copy;
}

absl::StatusOr<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return SystemFailure("cannot make a pipe");
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  // Fewer changes between the two processes; it works without, too.
  (void)fcntl(pipe.read.number(), F_SETPIPE_SZ, static_cast<int>(kMaxMessageBytes));
  UNBRAID_ASSIGN_OR_RETURN(pipe.write, Above(ends[1]));
  return pipe;
}

// Where libraries lie and how sanitizers report; nothing else of the parent's environment.
std::vector<std::string> Environment() {
  std::vector<std::string> environment;
  for (const char* name :
       {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
    const char* value = std::getenv(name);
    if (value != nullptr) environment.push_back(absl::StrCat(name, "=", value));
  }
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What posix_spawn is told; released at the end.
struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};

  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // Services ignore SIGPIPE and block others; a child begins with the custom of the system.
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

absl::StatusOr<pid_t> Spawn(const SpawnSettings& settings, std::vector<std::string> arguments) {
  std::vector<std::string> environment = Environment();
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, arguments.front().c_str(), &settings.actions, &settings.attributes,
                  Pointers(&arguments).data(), Pointers(&environment).data());
  if (error == 0) return pid;
  return absl::InternalError(
      absl::StrCat("cannot start the decoder ", arguments.front(), ": ", std::strerror(error)));
}

// Whether there is something to read, or the end, before the deadline.
bool IsReadable(const Descriptor& descriptor, absl::Time deadline) {
  while (true) {
    const absl::Duration left = std::max(deadline - base::SteadyNow(), absl::ZeroDuration());
    pollfd ready = {descriptor.number(), POLLIN, 0};
    const int polled =
        poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, kTick))));
    if (polled >= 0 || errno != EINTR) return polled == 1;
  }
}

// What there is before the deadline.
std::string ReadToEnd(const Descriptor& pipe, absl::Time deadline) {
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t got = 1; got > 0 && IsReadable(pipe, deadline);) {
    got = read(pipe.number(), block.data(), block.size());
    if (got > 0) text.append(block.data(), static_cast<size_t>(got));
    if (got < 0 && errno == EINTR) got = 1;
  }
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DecoderProcess>> DecoderProcess::Start(
    const std::vector<std::string>& arguments, int file) {
  UNBRAID_ASSIGN_OR_RETURN(const Descriptor source, Above(file));
  UNBRAID_ASSIGN_OR_RETURN(Pipe pipe, MakePipe());
  SpawnSettings settings;
  posix_spawn_file_actions_addopen(&settings.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, source.number(), kFileDescriptor);
  posix_spawn_file_actions_adddup2(&settings.actions, pipe.write.number(), kPipeDescriptor);
  UNBRAID_ASSIGN_OR_RETURN(const pid_t pid, Spawn(settings, arguments));
  return std::unique_ptr<DecoderProcess>(
      new DecoderProcess(pid, Descriptor(pidfd_open(pid, 0)), std::move(pipe.read)));
}

DecoderProcess::~DecoderProcess() {
  if (pid_ < 0) return;
  WaitOrKill(absl::ZeroDuration());
}

DecoderProcess::End DecoderProcess::WaitOrKill(absl::Duration patience) {
  const bool over = IsReadable(ended_, base::SteadyNow() + patience);
  if (!over) kill(pid_, SIGKILL);
  End end;
  rusage used{};
  while (wait4(pid_, &end.state, 0, &used) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  // Without a pidfd it may have ended long before.
  end.killed = !over && WIFSIGNALED(end.state) && WTERMSIG(end.state) == SIGKILL;
  end.cpu_time =
      absl::DurationFromTimeval(used.ru_utime) + absl::DurationFromTimeval(used.ru_stime);
  return end;
}

std::string DefaultDecoderProgram() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "unbraid-decoder").string();
}

absl::StatusOr<std::vector<std::string>> AskForContainers(const std::string& program,
                                                          absl::Duration patience) {
  const absl::Time deadline = base::SteadyNow() + patience;
  UNBRAID_ASSIGN_OR_RETURN(Pipe pipe, MakePipe());
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, pipe.write.number(), STDOUT_FILENO);
  UNBRAID_ASSIGN_OR_RETURN(const pid_t pid, Spawn(settings, {program, "--containers"}));
  pipe.write = Descriptor();
  DecoderProcess process(pid, Descriptor(pidfd_open(pid, 0)), Descriptor());
  const std::string text = ReadToEnd(pipe.read, deadline);
  const DecoderProcess::End end = process.WaitOrKill(deadline - base::SteadyNow());
  if (end.killed) {
    return absl::InternalError(absl::StrCat("the decoder ", program, " has not told within ",
                                            absl::FormatDuration(patience), " what it can decode"));
  }
  if (end.state != 0 || text.empty()) {
    return absl::InternalError(
        absl::StrCat("the decoder ", program, " cannot be run (status ", end.state, ")"));
  }
  return std::vector<std::string>(absl::StrSplit(text, '\n', absl::SkipEmpty()));
}

}  // namespace unbraid::decode
