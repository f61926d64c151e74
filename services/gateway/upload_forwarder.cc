#include "services/gateway/upload_forwarder.h"

#include <utility>

namespace unbraid::gateway {

UploadForwarder::UploadForwarder(CallRecord record, Splitter* splitter, int64_t max_upload_bytes,
                                 v1::UploadTrackResponse* response)
    : record_(std::move(record)), response_(response), writer_(this), checks_(max_upload_bytes) {
  grpc_util::PrepareCall(&context_, absl::InfiniteDuration(), grpc_util::kDefaultOwner);
  splitter->async()->UploadTrack(&context_, response_, &writer_);
  // Before the splitter's side, whose reactions may end this call.
  StartRead(&part_);
  // Writes are begun from the client's reactions, which the splitter's side must be told.
  writer_.AddHold();
  writer_.StartCall();
}

bool UploadForwarder::TakeTurn(Turn next) {
  absl::MutexLock lock(&mutex_);
  if (turn_ != Turn::kClientSends) return false;
  turn_ = next;
  return true;
}

void UploadForwarder::OnReadDone(bool ok) {
  if (!ok) {  // everything is sent, or the client is gone; OnCancel tells the latter
    if (!TakeTurn(Turn::kEnding)) return;
    const absl::Status ended = checks_.CheckEnd();
    if (!ended.ok() && !client_gone_) return Refuse(ended);
    writer_.StartWritesDone();
    writer_.RemoveHold();
    return;
  }
  if (!TakeTurn(Turn::kSplitterTakes)) return;
  record_.CountUp(part_.ByteSizeLong());
  const absl::Status checked = checks_.Check(part_);
  if (checked.ok()) {
    writer_.StartWrite(&part_);
    return;
  }
  {
    absl::MutexLock lock(&mutex_);
    turn_ = Turn::kEnding;
  }
  Refuse(checked);
}

void UploadForwarder::Refuse(const absl::Status& status) {
  refusal_ = grpc_util::ToGrpc(status);
  context_.TryCancel();
  writer_.RemoveHold();
}

void UploadForwarder::OnCancel() {
  client_gone_ = true;
  context_.TryCancel();
}

void UploadForwarder::OnPartTaken(bool ok) {
  bool go_on = false;
  {
    absl::MutexLock lock(&mutex_);
    go_on = ok && !answered_;
    turn_ = go_on ? Turn::kClientSends : Turn::kEnding;
  }
  if (go_on) {
    StartRead(&part_);  // the call cannot end before this reaction has returned
  } else {
    writer_.RemoveHold();  // the splitter has ended the call; OnBackendDone brings its status
  }
}

void UploadForwarder::OnBackendAnswers() {
  {
    absl::MutexLock lock(&mutex_);
    answered_ = true;
    if (turn_ != Turn::kClientSends) return;  // whoever has the turn goes on from here
    turn_ = Turn::kEnding;
  }
  writer_.RemoveHold();
}

void UploadForwarder::OnBackendDone(const grpc::Status& backend_status) {
  grpc::Status status =
      refusal_.has_value() ? *refusal_ : FromBackend(backend_status, kSplitter, client_gone_);
  record_.SetSubject(response_->track().name());
  record_.Finish(status);
  Finish(std::move(status));  // `this` may be gone afterwards
}

}  // namespace unbraid::gateway
