#include "services/common/decode/confine.h"

#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/decode/message_pipe.h"

namespace unbraid::decode {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

// Everything that a decoder calls once its libraries are loaded, but for kSelfCalls. Files are open
// already, so there is no way to a new one. No call that takes a path is among them, newfstatat
// neither: a filter sees the path's address only, and AT_EMPTY_PATH does not keep anybody from
// naming a file. (See store::File::Size, which does without.)
constexpr int kAllowed[] = {
    SCMP_SYS(read),         SCMP_SYS(readv),
    SCMP_SYS(pread64),      SCMP_SYS(write),
    SCMP_SYS(writev),       SCMP_SYS(lseek),
    SCMP_SYS(close),        SCMP_SYS(fstat),
    SCMP_SYS(brk),          SCMP_SYS(mmap),
    SCMP_SYS(munmap),       SCMP_SYS(mremap),
    SCMP_SYS(mprotect),     SCMP_SYS(madvise),
    SCMP_SYS(futex),        SCMP_SYS(sched_yield),
    SCMP_SYS(getpid),       SCMP_SYS(gettid),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),  SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(clock_getres), SCMP_SYS(clock_gettime),
    SCMP_SYS(time),         SCMP_SYS(gettimeofday),
    SCMP_SYS(nanosleep),    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(poll),         SCMP_SYS(getrandom),
    SCMP_SYS(exit),         SCMP_SYS(restart_syscall),
    SCMP_SYS(exit_group),   SCMP_SYS(sched_getaffinity),
};

// What a process may do to itself and to no other: its own number comes first. abort() and raise()
// use it.
constexpr int kSelfCalls[] = {SCMP_SYS(tgkill)};

// How a sanitizer finds out whether memory can be read.
constexpr int kSanitizerCalls[] = {SCMP_SYS(pipe), SCMP_SYS(pipe2)};

absl::Status SystemFailure(const char* what) {
  return absl::InternalError(absl::StrCat(what, ": ", std::strerror(errno)));
}

absl::Status SetLimit(__rlimit_resource resource, rlim_t most, const char* name) {
  const rlimit limit = {most, most};
  return setrlimit(resource, &limit) == 0 ? absl::OkStatus() : SystemFailure(name);
}

absl::StatusOr<int64_t> MappedBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  if (!(file >> pages)) return absl::InternalError("cannot read /proc/self/statm");
  return pages * sysconf(_SC_PAGESIZE);
}

absl::Status SetLimits(const Limits& limits) {
  if (!kSanitized) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t mapped, MappedBytes());
    UNBRAID_RETURN_IF_ERROR(
        SetLimit(RLIMIT_AS, static_cast<rlim_t>(mapped + limits.memory_bytes), "RLIMIT_AS"));
  }
  // A program that writes its messages into a file is no reason to die.
  signal(SIGXFSZ, SIG_IGN);
  const auto seconds = static_cast<rlim_t>(absl::ToInt64Seconds(limits.cpu_time));
  const rlimit cpu = {seconds, seconds + 1};
  if (setrlimit(RLIMIT_CPU, &cpu) != 0) return SystemFailure("RLIMIT_CPU");
  UNBRAID_RETURN_IF_ERROR(SetLimit(RLIMIT_FSIZE, 0, "RLIMIT_FSIZE"));
  UNBRAID_RETURN_IF_ERROR(SetLimit(RLIMIT_NPROC, 0, "RLIMIT_NPROC"));
  return SetLimit(RLIMIT_CORE, 0, "RLIMIT_CORE");
}

struct FilterRelease {
  void operator()(void* filter) const { seccomp_release(filter); }
};

absl::Status Allow(void* filter, int call, const std::vector<scmp_arg_cmp>& conditions = {}) {
  // A number below zero is a call that this machine's architecture does not have.
  if (call < 0) return absl::OkStatus();
  const int result = seccomp_rule_add_array(
      filter, SCMP_ACT_ALLOW, call, static_cast<unsigned>(conditions.size()), conditions.data());
  return result == 0 ? absl::OkStatus()
                     : absl::InternalError(absl::StrCat("seccomp_rule_add: ", result));
}

absl::Status LoadFilter() {
  const std::unique_ptr<void, FilterRelease> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (filter == nullptr) return absl::InternalError("seccomp_init failed");
  for (const int call : kAllowed) UNBRAID_RETURN_IF_ERROR(Allow(filter.get(), call));
  const std::vector<scmp_arg_cmp> self = {{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()), 0}};
  for (const int call : kSelfCalls) UNBRAID_RETURN_IF_ERROR(Allow(filter.get(), call, self));
  if (kSanitized) {
    for (const int call : kSanitizerCalls) UNBRAID_RETURN_IF_ERROR(Allow(filter.get(), call));
  }
  const int result = seccomp_load(filter.get());
  return result == 0 ? absl::OkStatus()
                     : absl::InternalError(absl::StrCat("seccomp_load: ", std::strerror(-result)));
}

// Standard error leads nowhere from now on, which no longer can be arranged once the filter is
// there. The way to where it led is `before`, through which a failure is still heard.
absl::Status Silence(Descriptor* before) {
  constexpr int kFirstFree = 3;
  *before = Descriptor(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, kFirstFree));
  const Descriptor nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (nowhere.number() < 0 || dup2(nowhere.number(), STDERR_FILENO) < 0) {
    return SystemFailure("/dev/null");
  }
  return absl::OkStatus();
}

absl::Status TakeRights(const Limits& limits) {
  UNBRAID_RETURN_IF_ERROR(SetLimits(limits));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return SystemFailure("PR_SET_NO_NEW_PRIVS");
  return LoadFilter();
}

}  // namespace

absl::Status Confine(const Limits& limits) {
  if (kSanitized) return TakeRights(limits);
  Descriptor before;
  UNBRAID_RETURN_IF_ERROR(Silence(&before));
  const absl::Status taken = TakeRights(limits);
  if (!taken.ok() && before.number() >= 0) (void)dup2(before.number(), STDERR_FILENO);
  return taken;
}

}  // namespace unbraid::decode
