#ifndef UNBRAID_SERVICES_GATEWAY_STREAM_FORWARDER_H_
#define UNBRAID_SERVICES_GATEWAY_STREAM_FORWARDER_H_

#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/grpc/channel.h"
#include "services/gateway/backends.h"
#include "services/gateway/call_record.h"
#include "services/gateway/stream_lives.h"

namespace unbraid::gateway {

// Passes a backend's stream on to a client: reads one message, writes it, reads the next when that
// one has been taken. So nothing is kept here, and a slow client slows the backend down. Each
// side's end ends the other. Deletes itself.
//
// At any time either a read or a write is outstanding, never both; only whoever's reaction runs
// goes on, so no lock is needed.
template <typename Response>
class StreamForwarder : public grpc::ServerWriteReactor<Response>, private StreamLives::Stream {
 public:
  // `begin` starts the call: stub->async()->Method(context, request, reader). The request must live
  // as long as the server's call, which gRPC's own does. `lives`, if there are any, bound it.
  template <typename Begin>
  StreamForwarder(CallRecord record, const char* service, StreamLives* lives, Begin begin)
      : record_(std::move(record)), service_(service), lives_(lives), reader_(this) {
    grpc_util::PrepareCall(&context_, absl::InfiniteDuration(), grpc_util::kDefaultOwner);
    begin(&context_, &reader_);
    // Reads are begun from the server's reactions, which the client's side must be told.
    reader_.AddHold();
    reader_.StartRead(&message_);
    if (lives_ != nullptr) lives_->Add(this);
    reader_.StartCall();
  }

 private:
  class Reader : public grpc::ClientReadReactor<Response> {
   public:
    explicit Reader(StreamForwarder* owner) : owner_(owner) {}
    void OnReadDone(bool ok) override {
      if (ok) {
        owner_->record_.CountDown(owner_->message_.ByteSizeLong());
        owner_->StartWrite(&owner_->message_);
      } else {
        this->RemoveHold();
      }
    }
    void OnDone(const grpc::Status& status) override { owner_->OnBackendDone(status); }

   private:
    StreamForwarder* const owner_;
  };

  void OnWriteDone(bool ok) override {
    if (ok) {
      reader_.StartRead(&message_);
      return;
    }
    client_gone_ = true;
    context_.TryCancel();
    reader_.RemoveHold();
  }

  void OnBackendDone(const grpc::Status& backend_status) {
    if (lives_ != nullptr) lives_->Remove(this);
    grpc::Status status = EndOf(backend_status);
    record_.Finish(status);
    this->Finish(std::move(status));  // `this` may be gone afterwards
  }

  grpc::Status EndOf(const grpc::Status& backend_status) {
    absl::MutexLock lock(&mutex_);
    if (end_.has_value() && !backend_status.ok()) return *end_;
    return FromBackend(backend_status, service_, client_gone_);
  }

  // Its time is up. A message that is on its way to the client is waited for.
  void End(const grpc::Status& status) override {
    {
      absl::MutexLock lock(&mutex_);
      end_ = status;
    }
    context_.TryCancel();
  }

  void OnCancel() override {
    client_gone_ = true;
    context_.TryCancel();
  }
  void OnDone() override { delete this; }

  CallRecord record_;
  const char* const service_;
  StreamLives* const lives_;
  grpc::ClientContext context_;
  Response message_;
  Reader reader_;
  std::atomic<bool> client_gone_{false};

  absl::Mutex mutex_;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_STREAM_FORWARDER_H_
