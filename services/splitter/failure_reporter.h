#ifndef UNBRAID_SERVICES_SPLITTER_FAILURE_REPORTER_H_
#define UNBRAID_SERVICES_SPLITTER_FAILURE_REPORTER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/common/base/executor.h"
#include "services/splitter/assembler_client.h"

namespace unbraid::splitter {

// Tells the assembler that separations have failed, again and again until it knows. What is not
// told when the process ends is found out anew after its restart. Thread-safe.
class FailureReporter {
 public:
  // Nothing is owned; `calls` must be stopped before this is destroyed.
  FailureReporter(AssemblerClient* assembler, base::Executor* calls)
      : assembler_(assembler), calls_(calls) {}

  // `told` is called once the assembler knows (or knows no such separation), on a thread of
  // `calls`.
  void Report(const std::string& owner, const internal::v1::FailSeparationRequest& request,
              std::function<void()> told);

  // Tries again what could not be told; to be called now and then.
  void Tick();

 private:
  struct Entry {
    std::string owner;
    internal::v1::FailSeparationRequest request;
    std::function<void()> told;
  };

  void Post(Entry entry);
  void Tell(Entry entry);

  AssemblerClient* const assembler_;
  base::Executor* const calls_;

  absl::Mutex mutex_;
  std::vector<Entry> waiting_ ABSL_GUARDED_BY(mutex_);
};

// A request, out of its parts.
internal::v1::FailSeparationRequest MakeFailure(int64_t separation_id, int32_t attempt,
                                                const std::string& reason,
                                                const std::string& message);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_FAILURE_REPORTER_H_
