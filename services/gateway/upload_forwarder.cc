#include "services/gateway/upload_forwarder.h"

#include <utility>

namespace unbraid::gateway {

UploadForwarder::UploadForwarder(CallRecord record, Splitter* splitter, int64_t max_upload_bytes,
                                 v1::UploadTrackResponse* response)
    : record_(std::move(record)), checks_(max_upload_bytes), response_(response), writer_(this) {
  grpc_util::PrepareCall(&context_, absl::InfiniteDuration(), grpc_util::kDefaultOwner);
  splitter->async()->UploadTrack(&context_, response_, &writer_);
  // Writes are begun from the server's reactions, which the client's side must be told.
  writer_.AddHold();
  writer_.StartCall();
  StartRead(&part_);
}

void UploadForwarder::OnReadDone(bool ok) {
  if (!ok) {  // the client has sent everything, or is gone; OnCancel tells the latter to the
              // splitter
    writer_.StartWritesDone();
    writer_.RemoveHold();
    return;
  }
  const absl::Status checked = checks_.Check(part_);
  if (!checked.ok()) {
    refusal_ = grpc_util::ToGrpc(checked);
    context_.TryCancel();
    writer_.RemoveHold();
    return;
  }
  writer_.StartWrite(&part_);
}

void UploadForwarder::Writer::OnWriteDone(bool ok) {
  if (ok) {
    owner_->StartRead(&owner_->part_);
  } else {
    RemoveHold();  // the splitter has ended the call; OnDone brings its status
  }
}

void UploadForwarder::OnBackendDone(const grpc::Status& backend_status) {
  grpc::Status status = refusal_.has_value() ? *refusal_ : FromBackend(backend_status);
  record_.SetSubject(response_->track().name());
  record_.Finish(status);
  Finish(std::move(status));  // `this` may be gone afterwards
}

}  // namespace unbraid::gateway
