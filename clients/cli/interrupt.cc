#include "clients/cli/interrupt.h"

#include <grpcpp/client_context.h>
#include <pthread.h>

#include <csignal>

#include "services/common/base/shutdown.h"

namespace unbraid::cli {

Interrupt::Interrupt() : thread_([this] { WaitForSignals(); }) {}

Interrupt::~Interrupt() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  pthread_kill(thread_.native_handle(), SIGTERM);  // only this thread sees it
  thread_.join();
}

void Interrupt::WaitForSignals() {
  while (true) {
    base::WaitForShutdownSignal();
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
    }
    Request();
  }
}

void Interrupt::Request() {
  absl::MutexLock lock(&mutex_);
  requested_ = true;
  for (grpc::ClientContext* call : calls_) call->TryCancel();
}

bool Interrupt::requested() const {
  absl::MutexLock lock(&mutex_);
  return requested_;
}

absl::Status Interrupt::Sleep(absl::Duration duration) const {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&requested_), duration);
  return requested_ ? absl::CancelledError("Interrupted.") : absl::OkStatus();
}

Interrupt::Scope::Scope(Interrupt* interrupt, grpc::ClientContext* context)
    : interrupt_(interrupt), context_(context) {
  absl::MutexLock lock(&interrupt_->mutex_);
  interrupt_->calls_.insert(context_);
  if (interrupt_->requested_) context_->TryCancel();
}

Interrupt::Scope::~Scope() {
  absl::MutexLock lock(&interrupt_->mutex_);
  interrupt_->calls_.erase(context_);
}

}  // namespace unbraid::cli
