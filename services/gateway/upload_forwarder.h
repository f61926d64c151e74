#ifndef UNBRAID_SERVICES_GATEWAY_UPLOAD_FORWARDER_H_
#define UNBRAID_SERVICES_GATEWAY_UPLOAD_FORWARDER_H_

#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>

#include <optional>

#include "services/gateway/backends.h"
#include "services/gateway/call_record.h"
#include "services/gateway/upload_checks.h"
#include "unbraid/v1/track_service.pb.h"

namespace unbraid::gateway {

// Passes an upload on to the splitter, part by part: the next is taken from the client only when
// the splitter has taken this one. Deletes itself.
//
// At any time either a read from the client or a write to the splitter is outstanding, never both,
// so no lock is needed. When the splitter ends the call early, that is noticed at the next part.
class UploadForwarder : public grpc::ServerReadReactor<v1::UploadTrackRequest> {
 public:
  UploadForwarder(CallRecord record, Splitter* splitter, int64_t max_upload_bytes,
                  v1::UploadTrackResponse* response);

 private:
  class Writer : public grpc::ClientWriteReactor<v1::UploadTrackRequest> {
   public:
    explicit Writer(UploadForwarder* owner) : owner_(owner) {}
    void OnWriteDone(bool ok) override;
    void OnDone(const grpc::Status& status) override { owner_->OnBackendDone(status); }

   private:
    UploadForwarder* const owner_;
  };

  void OnReadDone(bool ok) override;
  void OnCancel() override { context_.TryCancel(); }
  void OnDone() override { delete this; }
  void OnBackendDone(const grpc::Status& backend_status);

  CallRecord record_;
  UploadChecks checks_;
  v1::UploadTrackResponse* const response_;  // gRPC's
  grpc::ClientContext context_;
  v1::UploadTrackRequest part_;
  std::optional<grpc::Status> refusal_;
  Writer writer_;
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_UPLOAD_FORWARDER_H_
