#include "services/assembler/follow_reactor.h"

#include <algorithm>
#include <utility>

#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "services/common/grpc/unary.h"

namespace unbraid::assembler {
namespace {

absl::Status Leaving() {
  return base::Error(absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
                     "The service is restarting, or the separation was deleted; follow it again "
                     "from the byte that was reached.");
}

}  // namespace

FollowReactor::FollowReactor(std::string owner, const v1::DownloadStemRequest& request,
                             const Parts& parts)
    : owner_(std::move(owner)), offset_(request.read_offset()), parts_(parts) {
  absl::StatusOr<base::StemRef> stem = base::ParseStemName(request.name());
  if (!stem.ok()) {
    FinishWith(stem.status());
    return;
  }
  stem_ = *std::move(stem);
  Hold();
  const bool posted = parts_.place != nullptr && parts_.engine_executor->TryPost([this] {
    FinishWith(Begin());
    Release();
  });
  if (posted) return;
  FinishWith(grpc_util::Overloaded());
  Release();
}

FollowReactor::~FollowReactor() { parts_.hub->Unsubscribe(stem_.separation, this); }

// Nothing can come between the plan and the subscription: this thread makes all changes.
absl::Status FollowReactor::Begin() {
  UNBRAID_ASSIGN_OR_RETURN(const FollowPlan plan, parts_.engine->PlanFollow(owner_, stem_));
  UNBRAID_RETURN_IF_ERROR(CheckFollowOffset(plan.pcm, offset_));
  v1::DownloadStemResponse first;
  *first.mutable_pcm() = plan.pcm;
  first.set_offset(offset_);
  first.set_crc32c(base::Crc32c(first.data()));
  Enqueue(std::move(first));
  UNBRAID_RETURN_IF_ERROR(Attach(plan));
  // What has succeeded changes no more.
  if (plan.state != v1::Separation::STATE_SUCCEEDED) parts_.hub->Subscribe(stem_.separation, this);
  return absl::OkStatus();
}

absl::Status FollowReactor::Attach() {
  UNBRAID_ASSIGN_OR_RETURN(const FollowPlan plan, parts_.engine->PlanFollow(owner_, stem_));
  return Attach(plan);
}

absl::Status FollowReactor::Attach(const FollowPlan& plan) {
  if (plan.state == v1::Separation::STATE_PREPARING) return absl::OkStatus();
  UNBRAID_ASSIGN_OR_RETURN(auto follower, StemFollower::Open(plan, offset_));
  {
    absl::MutexLock lock(&mutex_);
    follower_ = std::move(follower);
    attaching_ = true;
    joined_ = std::max(joined_, plan.joined_frames);
  }
  GoOn();
  return absl::OkStatus();
}

void FollowReactor::OnNews(SeparationSnapshot news) {
  const absl::Status end = news == nullptr ? Leaving() : FollowEnd(*news);
  {
    absl::MutexLock lock(&mutex_);
    if (news != nullptr && news->state() == v1::Separation::STATE_SUCCEEDED) succeeded_ = true;
    // All there is to follow is there.
    if (!end.ok() && succeeded_) return;
    if (end.ok()) {
      if (attaching_ || news->state() == v1::Separation::STATE_PREPARING) return;
      attaching_ = true;
    }
  }
  if (!end.ok()) return FinishWith(end);
  if (!TryHold()) return;
  const bool posted = parts_.engine_executor->Post([this] {
    FinishWith(Attach());
    Release();
  });
  if (posted) return;
  FinishWith(Leaving());
  Release();
}

void FollowReactor::OnJoined(int64_t frames) {
  {
    absl::MutexLock lock(&mutex_);
    joined_ = std::max(joined_, frames);
  }
  GoOn();
}

void FollowReactor::OnDrained() {
  {
    absl::MutexLock lock(&mutex_);
    taken_ = true;
  }
  GoOn();
}

void FollowReactor::GoOn() {
  int64_t joined = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (busy_ || !taken_ || follower_ == nullptr) return;
    if (!follower_->ended() && !follower_->CanGoOn(joined_)) return;
    busy_ = true;
    joined = joined_;
  }
  if (!TryHold()) return;
  if (parts_.disk_executor->Post([this, joined] { Step(joined); })) return;
  FinishWith(Leaving());
  Release();
}

void FollowReactor::Step(int64_t joined) {
  StemFollower* follower = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    follower = follower_.get();
  }
  v1::DownloadStemResponse part;
  part.set_offset(follower->offset());
  absl::StatusOr<std::string> data = follower->Next(joined);
  const absl::Status status = data.status();
  const bool sends = data.ok() && !data->empty();
  const bool ended = follower->ended();
  {
    absl::MutexLock lock(&mutex_);
    busy_ = false;
    if (sends) taken_ = false;
  }
  if (sends) {
    part.set_data(*std::move(data));
    part.set_crc32c(base::Crc32c(part.data()));
    Enqueue(std::move(part));
  }
  FinishWith(status);
  if (ended) {
    FinishAfterQueue(grpc::Status::OK);
  } else {
    GoOn();
  }
  Release();
}

void FollowReactor::FinishWith(const absl::Status& status) {
  if (!status.ok()) FinishNow(grpc_util::ToGrpc(status));
}

}  // namespace unbraid::assembler
