#ifndef UNBRAID_SERVICES_GATEWAY_SEPARATE_CALL_H_
#define UNBRAID_SERVICES_GATEWAY_SEPARATE_CALL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/server_callback.h>

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::gateway {

// A Separate call as its session sees it: reads and writes that wait, for one session thread that
// may block. Deletes itself after End.
class SeparateCall : public grpc::ServerBidiReactor<v1::SeparateRequest, v1::SeparateResponse> {
 public:
  // `patience`: how long a client may say nothing while it is read from.
  explicit SeparateCall(absl::Duration patience) : patience_(patience) {}

  // Waits for the next message of the client; false when there are no more, the client is gone, or
  // it is silent. In the latter case it must be ended.
  bool Read(v1::SeparateRequest* request);

  // Waits until the message is taken; false when the client is gone.
  bool Write(const v1::SeparateResponse& response);

  // The client has gone away.
  bool cancelled() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return cancelled_;
  }

  // Ends the call; the last that the session does with it.
  void End(const grpc::Status& status) { Finish(status); }

  // Read has waited in vain.
  bool silent() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return silent_;
  }

  // A call to a backend that is cancelled, for its lifetime, when the client goes away.
  class Backend {
   public:
    explicit Backend(SeparateCall* call);
    ~Backend();
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;
    grpc::ClientContext* context() { return &context_; }

   private:
    SeparateCall* const call_;
    grpc::ClientContext context_;
  };

 private:
  enum class Step { kIdle, kRunning, kDone, kFailed };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }
  // What the step has come to; kRunning when the time is up.
  Step Wait(const Step& step, absl::Duration timeout);

  const absl::Duration patience_;
  v1::SeparateRequest incoming_;  // gRPC's while read_ is kRunning

  mutable std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  Step read_ = Step::kIdle;
  Step write_ = Step::kIdle;
  bool silent_ = false;
  bool cancelled_ = false;
  grpc::ClientContext* backend_ = nullptr;
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_SEPARATE_CALL_H_
