#include "services/gateway/watch_share.h"

#include <grpcpp/support/client_callback.h>

#include <set>
#include <utility>

#include "services/common/grpc/channel.h"

namespace unbraid::gateway {

bool HasEnded(const v1::Separation& separation) {
  return separation.state() == v1::Separation::STATE_SUCCEEDED ||
         separation.state() == v1::Separation::STATE_FAILED ||
         separation.state() == v1::Separation::STATE_CANCELLED;
}

// One stream of the assembler. Deletes itself when it has ended.
class WatchShare::Stream : public grpc::ClientReadReactor<v1::WatchSeparationResponse> {
 public:
  Stream(WatchShare* share, Key key) : share_(share), key_(std::move(key)) {
    request_.set_name(key_.second);
    grpc_util::PrepareCall(&context_, absl::InfiniteDuration(), key_.first);
  }

  void Start(Assembler* assembler) {
    assembler->async()->WatchSeparation(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }
  void Cancel() { context_.TryCancel(); }

  const Key& key() const { return key_; }
  // Both guarded by the share's mutex.
  std::set<Watcher*>& watchers() { return watchers_; }
  News& last() { return last_; }
  bool HasEnded() const { return last_ != nullptr && gateway::HasEnded(last_->separation()); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    share_->OnNews(this, std::make_shared<const v1::WatchSeparationResponse>(std::move(message_)));
    message_.Clear();
    StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    share_->OnEnd(this, status);
    delete this;
  }

  WatchShare* const share_;
  const Key key_;
  grpc::ClientContext context_;
  v1::WatchSeparationRequest request_;
  v1::WatchSeparationResponse message_;
  std::set<Watcher*> watchers_;
  News last_;
};

WatchShare::WatchShare(Assembler* assembler, telemetry::Metrics* metrics)
    : assembler_(assembler),
      streams_gauge_(metrics->Gauge("unbraid_gateway_watch_streams",
                                    "Streams of the assembler that watchers share")),
      watchers_gauge_(metrics->Gauge("unbraid_gateway_watchers", "Clients that watch")) {}

WatchShare::~WatchShare() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](int* alive) { return *alive == 0; }, &alive_));
}

void WatchShare::Join(const std::string& owner, const std::string& name, Watcher* watcher) {
  absl::MutexLock lock(&mutex_);
  Stream*& stream = streams_[{owner, name}];
  // One that has told the end belongs to an attempt that is over; this watcher may want the next.
  const bool first = stream == nullptr || stream->HasEnded();
  if (first) {
    stream = new Stream(this, {owner, name});
    ++alive_;
  }
  stream->watchers().insert(watcher);
  joined_[watcher] = stream;
  Count();
  if (first) {
    stream->Start(assembler_);
  } else if (stream->last() != nullptr) {
    watcher->OnNews(stream->last());
  }
}

void WatchShare::Leave(Watcher* watcher) {
  absl::MutexLock lock(&mutex_);
  const auto found = joined_.find(watcher);
  if (found == joined_.end()) return;
  Stream* stream = found->second;
  joined_.erase(found);
  stream->watchers().erase(watcher);
  if (stream->watchers().empty()) {
    stream->Cancel();
    Forget(stream);  // who comes now needs a new one
  }
  Count();
}

void WatchShare::Forget(Stream* stream) {
  const auto found = streams_.find(stream->key());
  if (found != streams_.end() && found->second == stream) streams_.erase(found);
}

void WatchShare::OnNews(Stream* stream, News news) {
  absl::MutexLock lock(&mutex_);
  stream->last() = std::move(news);
  for (Watcher* watcher : stream->watchers()) watcher->OnNews(stream->last());
}

void WatchShare::OnEnd(Stream* stream, const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  Forget(stream);
  if (!stream->watchers().empty()) {
    const grpc::Status seen = FromBackend(status, kAssembler, /*client_gone=*/false);
    for (Watcher* watcher : stream->watchers()) {
      joined_.erase(watcher);
      watcher->OnEnd(seen);
    }
  }
  --alive_;
  Count();
}

void WatchShare::Count() {
  streams_gauge_.Set(static_cast<double>(streams_.size()));
  watchers_gauge_.Set(static_cast<double>(joined_.size()));
}

}  // namespace unbraid::gateway
