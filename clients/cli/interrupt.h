#ifndef UNBRAID_CLIENTS_CLI_INTERRUPT_H_
#define UNBRAID_CLIENTS_CLI_INTERRUPT_H_

#include <set>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace grpc {
class ClientContext;
}

namespace unbraid::cli {

// Ctrl-C and SIGTERM, taken by a thread of their own (base::PrepareSignals must have run). The
// first one cancels every registered call; whoever waits wakes up. Thread-safe.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool requested() const;

  // What the signal thread does; for tests.
  void Request();

  // CANCELLED once interrupted, OK after `duration` otherwise.
  absl::Status Sleep(absl::Duration duration) const;

  // Registers a call for its lifetime, so that an interrupt cancels it.
  class Scope {
   public:
    Scope(Interrupt* interrupt, grpc::ClientContext* context);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt* const interrupt_;
    grpc::ClientContext* const context_;
  };

 private:
  void WaitForSignals();

  mutable absl::Mutex mutex_;
  bool requested_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses the others
};

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_INTERRUPT_H_
