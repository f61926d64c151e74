#ifndef UNBRAID_SERVICES_COMMON_GRPC_CANCELLATION_H_
#define UNBRAID_SERVICES_COMMON_GRPC_CANCELLATION_H_

#include <grpcpp/client_context.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace unbraid::grpc_util {

// Lets one thread end a call that another one waits for. Once cancelled it stays so, and calls that
// begin later end at once. One call at a time. Thread-safe.
class Cancellation {
 public:
  void Cancel();

  // Puts a call within its reach, from before the call begins until it has finished.
  class Scope {
   public:
    Scope(Cancellation* cancellation, grpc::ClientContext* context);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Cancellation* const cancellation_;
  };

 private:
  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace unbraid::grpc_util

#endif  // UNBRAID_SERVICES_COMMON_GRPC_CANCELLATION_H_
