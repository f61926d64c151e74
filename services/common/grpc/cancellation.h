#ifndef UNBRAID_SERVICES_COMMON_GRPC_CANCELLATION_H_
#define UNBRAID_SERVICES_COMMON_GRPC_CANCELLATION_H_

#include <grpcpp/client_context.h>

#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace unbraid::grpc_util {

// Lets one thread end calls that others wait for. Once cancelled it stays so, and calls that begin
// later end at once. Thread-safe.
class Cancellation {
 public:
  void Cancel();

  // Puts a call within its reach, from before the call begins until it has finished. No effect
  // without a cancellation.
  class Scope {
   public:
    Scope(Cancellation* cancellation, grpc::ClientContext* context);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Cancellation* const cancellation_;
    grpc::ClientContext* const context_;
  };

 private:
  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::grpc_util

#endif  // UNBRAID_SERVICES_COMMON_GRPC_CANCELLATION_H_
