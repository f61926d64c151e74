// Only in builds with the thread sanitizer, where every program contains it.
//
// The distribution's Abseil is not instrumented, so the sanitizer sees no order between two threads
// that take turns with an absl::Mutex, and reports a race for everything that such a mutex guards.
// Here the functions of Abseil that order threads are put in front of the library's own: each tells
// the sanitizer what it orders, and calls the original. The names are the mangled ones, with the
// version namespace that the build has found in the library.

#include <dlfcn.h>

#include <cstdlib>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}

namespace {

template <typename Function>
Function* Original(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

// While Abseil gives a mutex up it evaluates the conditions of those who wait, after the moment
// that the sanitizer takes for the end of the critical section. These reads are in order, and not
// looked at.
class IgnoreReads {
 public:
  IgnoreReads() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~IgnoreReads() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
  IgnoreReads(const IgnoreReads&) = delete;
  IgnoreReads& operator=(const IgnoreReads&) = delete;
};

}  // namespace

#define NAME_INNER(prefix, rest) prefix##rest
#define NAME_JOIN(prefix, rest) NAME_INNER(prefix, rest)
#define TEXT_INNER(name) #name
#define TEXT(name) TEXT_INNER(name)
#define MUTEX(rest) NAME_JOIN(UNBRAID_ABSL_MEMBER, rest)
#define CONST_MEMBER(rest) NAME_JOIN(UNBRAID_ABSL_CONST_MEMBER, rest)

// Each argument list stands twice: with types, and as it is passed on.
#define ACQUIRES(name, result, types, arguments)                      \
  result name types {                                                 \
    static auto* const original = Original<result types>(TEXT(name)); \
    struct After {                                                    \
      void* what;                                                     \
      ~After() { __tsan_acquire(what); }                              \
    } const after{self};                                              \
    return original arguments;                                        \
  }
#define RELEASES(name, types, arguments)                            \
  void name types {                                                 \
    static auto* const original = Original<void types>(TEXT(name)); \
    __tsan_release(self);                                           \
    const IgnoreReads ignore;                                       \
    original arguments;                                             \
  }
#define RELEASES_AND_ACQUIRES(name, result, types, what_is_ordered, arguments) \
  result name types {                                                          \
    static auto* const original = Original<result types>(TEXT(name));          \
    __tsan_release(what_is_ordered);                                           \
    struct After {                                                             \
      void* what;                                                              \
      ~After() { __tsan_acquire(what); }                                       \
    } const after{what_is_ordered};                                            \
    const IgnoreReads ignore;                                                  \
    return original arguments;                                                 \
  }

extern "C" {

ACQUIRES(MUTEX(5Mutex4LockEv), void, (void* self), (self))
ACQUIRES(MUTEX(5Mutex7TryLockEv), bool, (void* self), (self))
ACQUIRES(MUTEX(5Mutex10ReaderLockEv), void, (void* self), (self))
RELEASES(MUTEX(5Mutex6UnlockEv), (void* self), (self))
RELEASES(MUTEX(5Mutex12ReaderUnlockEv), (void* self), (self))
RELEASES_AND_ACQUIRES(MUTEX(5Mutex5AwaitERKNS0_9ConditionE), void,
                      (void* self, const absl::Condition& condition), self, (self, condition))
RELEASES_AND_ACQUIRES(MUTEX(5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE), bool,
                      (void* self, const absl::Condition& condition, absl::Duration timeout), self,
                      (self, condition, timeout))
RELEASES_AND_ACQUIRES(MUTEX(5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE), bool,
                      (void* self, const absl::Condition& condition, absl::Time deadline), self,
                      (self, condition, deadline))

RELEASES_AND_ACQUIRES(MUTEX(7CondVar4WaitEPNS0_5MutexE), void, (void* self, void* mutex), mutex,
                      (self, mutex))
RELEASES_AND_ACQUIRES(MUTEX(7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE), bool,
                      (void* self, void* mutex, absl::Duration timeout), mutex,
                      (self, mutex, timeout))
RELEASES_AND_ACQUIRES(MUTEX(7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE), bool,
                      (void* self, void* mutex, absl::Time deadline), mutex,
                      (self, mutex, deadline))

RELEASES_AND_ACQUIRES(MUTEX(7Barrier5BlockEv), bool, (void* self), self, (self))

RELEASES(MUTEX(12Notification6NotifyEv), (void* self), (self))
ACQUIRES(CONST_MEMBER(12Notification19WaitForNotificationEv), void, (void* self), (self))
ACQUIRES(CONST_MEMBER(12Notification30WaitForNotificationWithTimeoutENS0_8DurationE), bool,
         (void* self, absl::Duration timeout), (self, timeout))
ACQUIRES(CONST_MEMBER(12Notification31WaitForNotificationWithDeadlineENS0_4TimeE), bool,
         (void* self, absl::Time deadline), (self, deadline))
}
