#include "services/splitter/upload_reactor.h"

#include <utility>

#include "services/common/grpc/status_convert.h"
#include "services/splitter/upload_errors.h"

namespace unbraid::splitter {

UploadReactor* UploadReactor::Start(Uploads* uploads, UploadExecutors executors,
                                    const std::string& owner, v1::UploadTrackResponse* response) {
  const std::shared_ptr<UploadReactor> self(new UploadReactor(executors, response));
  self->self_ = self;
  // A weak pointer: the stream may be gone when somebody takes its upload over.
  std::weak_ptr<UploadReactor> weak = self;
  self->call_ = std::make_unique<UploadCall>(uploads, owner, [weak](const absl::Status& status) {
    if (const auto reactor = weak.lock()) reactor->Evict(status);
  });
  self->StartRead(&self->request_);
  return self.get();
}

void UploadReactor::OnReadDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    if (finished_) return;  // evicted while reading
    ++steps_;
  }
  if (!ExecutorFor(ok)->Post([self = shared_from_this(), ok] { self->Work(ok); })) {
    EndOfWork(ShuttingDown());
  }
}

base::Executor* UploadReactor::ExecutorFor(bool ok) const {
  if (!ok) return executors_.parts;
  if (request_.finish_write()) return executors_.checks;
  return request_.has_spec() ? executors_.beginnings : executors_.parts;
}

void UploadReactor::Work(bool ok) {
  if (!ok) {
    // Half-closed, or broken; in the latter case nobody reads the answer.
    const absl::Status end = call_->End();
    *response_ = call_->response();
    return EndOfWork(end);
  }
  const absl::Status status = call_->Take(request_);
  if (!status.ok()) return EndOfWork(status);
  if (!call_->finished()) return EndOfWork(std::nullopt);
  *response_ = call_->response();
  EndOfWork(absl::OkStatus());
}

// Goes on reading, or finishes with `end`.
void UploadReactor::EndOfWork(std::optional<absl::Status> end) {
  {
    absl::MutexLock lock(&mutex_);
    if (!end && !evicted_.ok()) end = evicted_;
    finished_ = end.has_value();
  }
  if (end) {
    call_.reset();  // lets go of the upload before the client can learn of the end
    return Finish(grpc_util::ToGrpc(*end));
  }
  // The step counts until the read has been asked for: Finish must not overtake StartRead.
  StartRead(&request_);
  absl::Status evicted;
  {
    absl::MutexLock lock(&mutex_);
    --steps_;
    evicted = FinishIfEvicted();
  }
  if (!evicted.ok()) Finish(grpc_util::ToGrpc(evicted));
}

absl::Status UploadReactor::FinishIfEvicted() {
  if (steps_ > 0 || finished_ || evicted_.ok()) return absl::OkStatus();
  finished_ = true;
  return evicted_;
}

void UploadReactor::Evict(const absl::Status& status) {
  absl::Status evicted;
  {
    absl::MutexLock lock(&mutex_);
    evicted_ = status;
    // A part that is being written is finished first; EndOfWork ends the stream then.
    evicted = FinishIfEvicted();
  }
  if (!evicted.ok()) Finish(grpc_util::ToGrpc(evicted));
}

void UploadReactor::OnDone() { self_.reset(); }

}  // namespace unbraid::splitter
