#include "services/common/grpc/cancellation.h"

namespace unbraid::grpc_util {

void Cancellation::Cancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

Cancellation::Scope::Scope(Cancellation* cancellation, grpc::ClientContext* context)
    : cancellation_(cancellation) {
  absl::MutexLock lock(&cancellation_->mutex_);
  cancellation_->context_ = context;
  if (cancellation_->cancelled_) context->TryCancel();
}

Cancellation::Scope::~Scope() {
  absl::MutexLock lock(&cancellation_->mutex_);
  cancellation_->context_ = nullptr;
}

}  // namespace unbraid::grpc_util
