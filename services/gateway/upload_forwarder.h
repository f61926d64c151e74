#ifndef UNBRAID_SERVICES_GATEWAY_UPLOAD_FORWARDER_H_
#define UNBRAID_SERVICES_GATEWAY_UPLOAD_FORWARDER_H_

#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/gateway/backends.h"
#include "services/gateway/call_record.h"
#include "services/gateway/upload_checks.h"
#include "unbraid/v1/track_service.pb.h"

namespace unbraid::gateway {

// Passes an upload on to the splitter, part by part: the next is taken from the client only when
// the splitter has taken this one. At any time either a read from the client or a write to the
// splitter is outstanding, never both. Deletes itself.
//
// When the splitter answers early, the client's call ends at once, also while it pauses. That is
// seen by the splitter's initial metadata, which it sends with its answer and never before: gRPC
// reports the answer itself only once the hold, under which writes may be begun, is given up.
class UploadForwarder : public grpc::ServerReadReactor<v1::UploadTrackRequest> {
 public:
  UploadForwarder(CallRecord record, Splitter* splitter, int64_t max_upload_bytes,
                  v1::UploadTrackResponse* response);

 private:
  class Writer : public grpc::ClientWriteReactor<v1::UploadTrackRequest> {
   public:
    explicit Writer(UploadForwarder* owner) : owner_(owner) {}
    void OnReadInitialMetadataDone(bool) override { owner_->OnBackendAnswers(); }
    void OnWriteDone(bool ok) override { owner_->OnPartTaken(ok); }
    void OnDone(const grpc::Status& status) override { owner_->OnBackendDone(status); }

   private:
    UploadForwarder* const owner_;
  };

  // Whose turn it is. In kEnding the hold on the writer is, or is about to be, given up: nothing is
  // begun any more.
  enum class Turn { kClientSends, kSplitterTakes, kEnding };

  void OnReadDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }

  // Reactions of the splitter's side.
  void OnBackendAnswers();
  void OnPartTaken(bool ok);
  void OnBackendDone(const grpc::Status& backend_status);

  // From kClientSends to `next`; false when the splitter has ended the turn.
  bool TakeTurn(Turn next);
  void Refuse(const absl::Status& status);

  CallRecord record_;
  v1::UploadTrackResponse* const response_;  // gRPC's
  grpc::ClientContext context_;
  Writer writer_;
  std::atomic<bool> client_gone_{false};

  // Touched by whose turn it is.
  UploadChecks checks_;
  v1::UploadTrackRequest part_;
  std::optional<grpc::Status> refusal_;

  absl::Mutex mutex_;
  Turn turn_ ABSL_GUARDED_BY(mutex_) = Turn::kClientSends;
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_UPLOAD_FORWARDER_H_
