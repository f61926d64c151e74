#include "services/gateway/separate_call.h"

#include "services/common/base/steady.h"
#include "services/common/grpc/channel.h"

namespace unbraid::gateway {

SeparateCall::Step SeparateCall::Wait(const Step& step, absl::Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  base::SteadyWait(&changed_, &lock, timeout, [&step] { return step != Step::kRunning; });
  if (step == Step::kRunning) silent_ = true;
  return step;
}

bool SeparateCall::Read(v1::SeparateRequest* request) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    read_ = Step::kRunning;
  }
  StartRead(&incoming_);
  if (Wait(read_, patience_) != Step::kDone) return false;
  request->Swap(&incoming_);
  return true;
}

bool SeparateCall::Write(const v1::SeparateResponse& response) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    write_ = Step::kRunning;
  }
  StartWrite(&response);
  return Wait(write_, absl::InfiniteDuration()) == Step::kDone;
}

void SeparateCall::OnReadDone(bool ok) {
  const std::lock_guard<std::mutex> lock(mutex_);
  read_ = ok ? Step::kDone : Step::kFailed;
  changed_.notify_all();
}

void SeparateCall::OnWriteDone(bool ok) {
  const std::lock_guard<std::mutex> lock(mutex_);
  write_ = ok ? Step::kDone : Step::kFailed;
  changed_.notify_all();
}

void SeparateCall::OnCancel() {
  const std::lock_guard<std::mutex> lock(mutex_);
  cancelled_ = true;
  if (backend_ != nullptr) backend_->TryCancel();
}

SeparateCall::Backend::Backend(SeparateCall* call) : call_(call) {
  grpc_util::PrepareCall(&context_, absl::InfiniteDuration(), grpc_util::kDefaultOwner);
  const std::lock_guard<std::mutex> lock(call_->mutex_);
  call_->backend_ = &context_;
  if (call_->cancelled_) context_.TryCancel();
}

SeparateCall::Backend::~Backend() {
  const std::lock_guard<std::mutex> lock(call_->mutex_);
  call_->backend_ = nullptr;
}

}  // namespace unbraid::gateway
