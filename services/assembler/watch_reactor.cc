#include "services/assembler/watch_reactor.h"

#include <utility>

#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "services/common/grpc/unary.h"

namespace unbraid::assembler {

WatchReactor::WatchReactor(std::string owner, const std::string& name, Engine* engine,
                           base::Executor* executor, WatchHub* hub)
    : owner_(std::move(owner)), hub_(hub) {
  const absl::StatusOr<base::SeparationId> id = base::ParseSeparationName(name);
  if (!id.ok()) {
    FinishNow(grpc_util::ToGrpc(id.status()));
    return;
  }
  id_ = *id;
  Hold();
  const bool posted = executor->TryPost([this, engine] {
    Begin(engine);
    Release();
  });
  if (posted) return;
  FinishNow(grpc_util::ToGrpc(grpc_util::Overloaded()));
  Release();
}

WatchReactor::~WatchReactor() { hub_->Unsubscribe(id_, this); }

// On the engine's thread, where all changes are made: nothing can come between the snapshot and the
// subscription.
void WatchReactor::Begin(Engine* engine) {
  absl::StatusOr<v1::Separation> separation = engine->Get(owner_, id_);
  if (!separation.ok()) return FinishNow(grpc_util::ToGrpc(separation.status()));
  OnNews(std::make_shared<const v1::Separation>(*std::move(separation)));
  hub_->Subscribe(id_, this);
}

void WatchReactor::OnNews(SeparationSnapshot news) {
  if (news == nullptr) {
    return FinishNow(grpc_util::ToGrpc(
        base::Error(absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
                    "The service is restarting, or the separation was deleted; watch it again.")));
  }
  {
    absl::MutexLock lock(&mutex_);
    last_ = news;
  }
  v1::WatchSeparationResponse response;
  *response.mutable_separation() = *news;
  Replace(std::move(response));
  if (IsTerminal(news->state())) FinishAfterQueue(grpc::Status::OK);
}

void WatchReactor::OnBeat() {
  SeparationSnapshot last;
  {
    absl::MutexLock lock(&mutex_);
    last = last_;
  }
  OnNews(std::move(last));
}

}  // namespace unbraid::assembler
