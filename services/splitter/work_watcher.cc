#include "services/splitter/work_watcher.h"

#include "services/common/amqp/backoff.h"
#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "services/common/telemetry/log.h"

namespace unbraid::splitter {

using Stub = internal::v1::AssemblerService::Stub;

WorkWatcher::WorkWatcher(const std::shared_ptr<grpc::Channel>& channel, const std::string& splitter,
                         WorkEvents* events, absl::Duration backoff_min, absl::Duration backoff_max)
    : splitter_(splitter),
      events_(events),
      backoff_min_(backoff_min),
      backoff_max_(backoff_max),
      stub_(internal::v1::AssemblerService::NewStub(channel)),
      state_(absl::UnavailableError("the assembler has not been reached yet")) {}

WorkWatcher::~WorkWatcher() { Stop(); }

void WorkWatcher::Start() {
  thread_ = std::thread([this] { Run(); });
}

void WorkWatcher::Run() {
  amqp::Backoff backoff(backoff_min_, backoff_max_);
  while (true) {
    const absl::Status end = Watch();
    if (stopping_.stopped()) return;
    {
      absl::MutexLock lock(&mutex_);
      if (reopening_ || state_.ok()) backoff.Reset();
      if (reopening_) {
        reopening_ = false;
        continue;
      }
      if (state_.ok()) telemetry::Warning("assembler lost", {{"error", end}});
      state_ = end.ok() ? absl::UnavailableError("the assembler ended the stream") : end;
    }
    if (stopping_.Pause(backoff.Next())) return;
  }
}

absl::Status WorkWatcher::Watch() {
  internal::v1::GetAssemblerStatusResponse status;
  UNBRAID_RETURN_IF_ERROR(grpc_util::Call(
      stub_.get(), &Stub::GetAssemblerStatus, internal::v1::GetAssemblerStatusRequest(), &status,
      grpc_util::kDefaultOwner, grpc_util::kUnaryDeadline, &shutdown_));
  grpc::ClientContext context;
  grpc_util::PrepareCall(&context, absl::InfiniteDuration(), grpc_util::kDefaultOwner);
  {
    absl::MutexLock lock(&mutex_);
    context_ = &context;
  }
  const grpc_util::Cancellation::Scope scope(&shutdown_, &context);
  events_->OnConnected(status.assembler());
  absl::Status end = Read(&context);
  absl::MutexLock lock(&mutex_);
  context_ = nullptr;
  return end;
}

absl::Status WorkWatcher::Read(grpc::ClientContext* context) {
  internal::v1::WatchWorkRequest request;
  request.set_splitter(splitter_);
  const auto reader = stub_->WatchWork(context, request);
  internal::v1::WatchWorkResponse news;
  while (reader->Read(&news)) Dispatch(news);
  return grpc_util::FromGrpc(reader->Finish());
}

void WorkWatcher::Dispatch(const internal::v1::WatchWorkResponse& news) {
  switch (news.kind_case()) {
    case internal::v1::WatchWorkResponse::kActive:
      return events_->OnActive(news.active());
    case internal::v1::WatchWorkResponse::kSnapshotEnd: {
      events_->OnSnapshotEnd();
      absl::MutexLock lock(&mutex_);
      state_ = absl::OkStatus();
      return;
    }
    case internal::v1::WatchWorkResponse::kEnded:
      return events_->OnEnded(news.ended());
    case internal::v1::WatchWorkResponse::kRetry:
      return events_->OnRetry(news.retry());
    case internal::v1::WatchWorkResponse::KIND_NOT_SET:
      return;  // of a newer assembler
  }
}

void WorkWatcher::Reopen() {
  absl::MutexLock lock(&mutex_);
  if (context_ == nullptr) return;  // a new one is on its way anyway
  reopening_ = true;
  context_->TryCancel();
}

absl::Status WorkWatcher::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

void WorkWatcher::Stop() {
  stopping_.Stop();
  shutdown_.Cancel();
  if (thread_.joinable()) thread_.join();
}

}  // namespace unbraid::splitter
