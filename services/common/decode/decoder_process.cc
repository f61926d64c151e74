#include "services/common/decode/decoder_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/common/base/status.h"
#include "services/common/decode/child.h"

// The header of glibc 2.36 lacks it.
extern "C" {
#include <sys/pidfd.h>
}

namespace unbraid::decode {
namespace {

// Above the numbers that the child expects, so that moving one there cannot hit another.
constexpr int kFirstFreeDescriptor = 16;

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

int DecoderProcess::WaitOrKill(absl::Duration patience) {
  pollfd ended = {ended_.number(), POLLIN, 0};
  const bool over = poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) == 1;
  if (!over) kill(pid_, SIGKILL);
  int state = 0;
  while (waitpid(pid_, &state, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return state;
}

std::string DefaultDecoderProgram() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "unbraid-decoder").string();
}

absl::StatusOr<std::vector<std::string>> AskForContainers(const std::string& program) {
  UNBRAID_ASSIGN_OR_RETURN(Pipe pipe, MakePipe());
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, pipe.write.number(), STDOUT_FILENO);
  UNBRAID_ASSIGN_OR_RETURN(const pid_t pid, Spawn(settings, {program, "--containers"}));
  pipe.write = Descriptor();
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t got = 1; got > 0;) {
    got = read(pipe.read.number(), block.data(), block.size());
    if (got > 0) text.append(block.data(), static_cast<size_t>(got));
    if (got < 0 && errno == EINTR) got = 1;
  }
  int state = 0;
  while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {
  }
  if (state != 0 || text.empty()) {
    return absl::InternalError(
        absl::StrCat("the decoder ", program, " cannot be run (status ", state, ")"));
  }
  return std::vector<std::string>(absl::StrSplit(text, '\n', absl::SkipEmpty()));
}

}  // namespace unbraid::decode
