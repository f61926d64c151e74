#include "services/splitter/upload_call.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/room.h"
#include "services/splitter/upload_errors.h"

namespace unbraid::splitter {

namespace {

// An error as a client is to read it: of a full disk with what is missing, and no path.
absl::Status Told(const absl::Status& status) {
  if (base::ReasonOf(status) != "DISK_FULL" || !base::FactsOf(status).empty()) return status;
  telemetry::Warning("an upload finds no room", {{"error", status}});
  return Room::Full("this file");
}

}  // namespace

absl::Status UploadCall::Take(const v1::UploadTrackRequest& request) {
  return Told(TakeNext(request));
}

absl::Status UploadCall::TakeNext(const v1::UploadTrackRequest& request) {
  UNBRAID_RETURN_IF_ERROR(CheckGrammar(request));
  if (writer_ == nullptr) {
    UNBRAID_ASSIGN_OR_RETURN(writer_,
                             uploads_->Begin(owner_, request.spec(), std::move(on_evicted_)));
    response_.set_upload_id(writer_->upload_id());
  }
  const auto crc32c =
      request.has_crc32c() ? std::optional<uint32_t>(request.crc32c()) : std::nullopt;
  UNBRAID_RETURN_IF_ERROR(writer_->Write(request.write_offset(), request.data(), crc32c));
  response_.set_committed_size(writer_->committed_size());
  if (!request.finish_write()) return absl::OkStatus();
  finished_ = true;
  UNBRAID_ASSIGN_OR_RETURN(*response_.mutable_track(), writer_->Finish());
  return absl::OkStatus();
}

absl::Status UploadCall::CheckGrammar(const v1::UploadTrackRequest& request) const {
  if (finished_) return InvalidUpload("A message follows the one with finish_write.");
  const bool first = writer_ == nullptr;
  if (first && !request.has_spec()) return InvalidUpload("The first message must carry spec.");
  if (!first && request.has_spec()) {
    return InvalidUpload("Only the first message may carry spec.");
  }
  if (static_cast<int64_t>(request.data().size()) > kMaxPartBytes) {
    return InvalidUpload(absl::StrCat("A part has ", request.data().size(), " bytes; at most ",
                                      kMaxPartBytes, " are taken."));
  }
  return absl::OkStatus();
}

absl::Status UploadCall::End() {
  if (writer_ == nullptr) return InvalidUpload("The stream ended before its first message.");
  return Told(writer_->Commit());
}

}  // namespace unbraid::splitter
