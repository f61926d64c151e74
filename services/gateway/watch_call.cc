#include "services/gateway/watch_call.h"

#include <utility>

#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "services/common/grpc/status_convert.h"

namespace unbraid::gateway {
WatchCall::WatchCall(CallRecord record, std::string name, const Parts& parts)
    : owner_(grpc_util::kDefaultOwner),
      name_(std::move(name)),
      parts_(parts),
      record_(std::move(record)) {
  Hold();
  parts_.lives->Add(this);
  request_.set_name(name_);
  grpc_util::PrepareCall(&context_, parts_.deadline, owner_);
  parts_.assembler->async()->GetSeparation(&context_, &request_, &answer_,
                                           [this](const grpc::Status& status) {
                                             OnAnswer(status);
                                             Release();
                                           });
}

WatchCall::~WatchCall() {
  parts_.share->Leave(this);
  parts_.lives->Remove(this);
  absl::MutexLock lock(&mutex_);
  record_.Finish(end_.value_or(grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone")));
}

void WatchCall::OnAnswer(const grpc::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (end_.has_value()) return;  // and so the question was broken off
  }
  if (!status.ok()) return End(FromBackend(status, kAssembler, /*client_gone=*/false));
  v1::WatchSeparationResponse news;
  *news.mutable_separation() = std::move(answer_);
  const bool ended = HasEnded(news.separation());
  Tell(news);
  if (!ended) parts_.share->Join(owner_, name_, this);
}

void WatchCall::Tell(const v1::WatchSeparationResponse& news) {
  {
    absl::MutexLock lock(&mutex_);
    if (news.separation().version() < version_) return;
    version_ = news.separation().version();
    record_.CountDown(news.ByteSizeLong());
  }
  Replace(news);
  if (HasEnded(news.separation())) End(grpc::Status::OK);
}

void WatchCall::OnEnd(const grpc::Status& status) {
  // OK is what follows the end of a separation, and its end has not come here.
  End(status.ok() ? grpc_util::ToGrpc(base::Error(
                        absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
                        "The separation was begun anew at this moment. Watch it again."))
                  : status);
}

void WatchCall::End(const grpc::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (!end_.has_value()) end_ = status;
  }
  context_.TryCancel();  // the answer is not waited for
  FinishAfterQueue(status);
}

}  // namespace unbraid::gateway
