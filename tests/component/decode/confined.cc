// Confines itself, then tries one thing that a decoder has no business to do. Ends with 0 when that
// was refused or stopped by a limit, with 1 when it was possible.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <map>
#include <string>

#include "services/common/decode/confine.h"
#include "services/common/store/files.h"

namespace {

bool Refused(long result) { return result < 0 && errno == EPERM; }

// `argument` is a file that the parent has opened for writing as descriptor 0, or its name.
const std::map<std::string, std::function<bool(const char*)>>& Attempts() {
  static const auto* const kAttempts = new std::map<std::string, std::function<bool(const char*)>>{
      {"read-a-file", [](const char* path) { return Refused(open(path, O_RDONLY)); }},
      {"make-a-file",
       [](const char* path) {
         return Refused(open((std::string(path) + ".new").c_str(), O_WRONLY | O_CREAT, 0600));
       }},
      {"remove-a-file", [](const char* path) { return Refused(unlink(path)); }},
      {"network", [](const char*) { return Refused(socket(AF_INET, SOCK_STREAM, 0)); }},
      {"local-socket", [](const char*) { return Refused(socket(AF_UNIX, SOCK_STREAM, 0)); }},
      {"process", [](const char*) { return Refused(fork()); }},
      {"program",
       [](const char*) {
         char name[] = "/bin/true";
         char* const arguments[] = {name, nullptr};
         return Refused(execve(name, arguments, nullptr));
       }},
      {"signal", [](const char*) { return Refused(kill(getppid(), 0)); }},
      {"signal-a-thread",
       [](const char*) { return Refused(syscall(SYS_tgkill, getppid(), getppid(), 0)); }},
      {"look-for-a-file",
       [](const char* path) {
         struct stat info {};
         return Refused(stat(path, &info)) &&
                Refused(fstatat(AT_FDCWD, path, &info, AT_EMPTY_PATH));
       }},
      {"grow-a-file",
       [](const char*) { return write(STDOUT_FILENO, "x", 1) < 0 && errno == EFBIG; }},
      {"memory",
       [](const char*) {
         constexpr size_t kMuch = size_t{1} << 30;
         return mmap(nullptr, kMuch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                MAP_FAILED;
       }},
      {"allowed",
       [](const char*) {
         const std::string some(1 << 20, 'x');
         const auto file = unbraid::store::File::FromDescriptor(STDOUT_FILENO, "the file");
         constexpr int64_t kSize = 6;  // of the word "secret"
         return some.size() == 1 << 20 && file.Size().value_or(0) == kSize &&
                syscall(SYS_tgkill, getpid(), gettid(), 0) == 0;
       }},
      // It led to the file, which the limit keeps from growing.
      {"standard-error", [](const char*) { return write(STDERR_FILENO, "x", 1) == 1; }},
  };
  return *kAttempts;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kUsage = 2;
  const auto attempt = argc == 3 ? Attempts().find(argv[1]) : Attempts().end();
  if (attempt == Attempts().end()) return kUsage;
  constexpr int64_t kMemory = int64_t{64} << 20;
  if (!unbraid::decode::Confine({kMemory, absl::Seconds(10)}).ok()) return kUsage;
  _exit(attempt->second(argv[2]) ? 0 : 1);
}
