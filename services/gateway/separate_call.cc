#include "services/gateway/separate_call.h"

#include "services/common/grpc/channel.h"

namespace unbraid::gateway {

bool SeparateCall::Wait(const Step* step, absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(
                              +[](const Step* waited) { return *waited != Step::kRunning; }, step),
                          timeout);
  return *step == Step::kDone;
}

bool SeparateCall::Read(v1::SeparateRequest* request) {
  {
    absl::MutexLock lock(&mutex_);
    read_ = Step::kRunning;
  }
  StartRead(&incoming_);
  if (!Wait(&read_, patience_)) return false;
  request->Swap(&incoming_);
  return true;
}

bool SeparateCall::Write(const v1::SeparateResponse& response) {
  {
    absl::MutexLock lock(&mutex_);
    write_ = Step::kRunning;
  }
  StartWrite(&response);
  return Wait(&write_, absl::InfiniteDuration());
}

void SeparateCall::OnReadDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  read_ = ok ? Step::kDone : Step::kFailed;
}

void SeparateCall::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  write_ = ok ? Step::kDone : Step::kFailed;
}

void SeparateCall::OnCancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  if (backend_ != nullptr) backend_->TryCancel();
}

SeparateCall::Backend::Backend(SeparateCall* call) : call_(call) {
  grpc_util::PrepareCall(&context_, absl::InfiniteDuration(), grpc_util::kDefaultOwner);
  absl::MutexLock lock(&call_->mutex_);
  call_->backend_ = &context_;
  if (call_->cancelled_) context_.TryCancel();
}

SeparateCall::Backend::~Backend() {
  absl::MutexLock lock(&call_->mutex_);
  call_->backend_ = nullptr;
}

}  // namespace unbraid::gateway
