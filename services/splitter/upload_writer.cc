#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/track_check.h"
#include "services/splitter/upload_errors.h"
#include "services/splitter/uploads.h"

namespace unbraid::splitter {
namespace {

absl::Status OffsetMismatch(int64_t offset, int64_t committed) {
  return base::Error(absl::StatusCode::kOutOfRange, "WRITE_OFFSET_MISMATCH",
                     absl::StrCat("write_offset is ", offset, ", but ", committed,
                                  " bytes are stored; go on from there."),
                     {{"committed_size", absl::StrCat(committed)}});
}

// Whether an error means that the content itself is at fault, so that keeping it is of no use.
bool IsRefusal(const absl::Status& status) {
  const std::string reason = base::ReasonOf(status);
  return status.code() == absl::StatusCode::kInvalidArgument || reason == "FILE_TOO_LARGE" ||
         reason == "TOO_LONG" || reason == "ID_COLLISION";
}

}  // namespace

UploadWriter::~UploadWriter() {
  // Without its owner's hold nobody may write; the file stays for a later stream.
  uploads_->Forget(key_, writer_);
}

absl::Status UploadWriter::Write(int64_t offset, absl::string_view data,
                                 std::optional<uint32_t> crc32c) {
  UNBRAID_RETURN_IF_ERROR(uploads_->Enter(key_, writer_));
  absl::Status status = Append(offset, data, crc32c);
  uploads_->Leave(key_);
  return status;
}

absl::Status UploadWriter::Append(int64_t offset, absl::string_view data,
                                  std::optional<uint32_t> crc32c) {
  if (offset != committed_size_) {
    // The answer says what is stored, so it must be.
    if (file_) UNBRAID_RETURN_IF_ERROR(uploads_->Commit(key_).status());
    return OffsetMismatch(offset, committed_size_);
  }
  if (crc32c && *crc32c != base::Crc32c(data)) {
    return base::Error(
        absl::StatusCode::kDataLoss, "CHECKSUM_MISMATCH",
        absl::StrCat("The part at offset ", offset, " was damaged on its way; send it again."));
  }
  if (data.empty()) return absl::OkStatus();
  if (!file_) return InvalidUpload("This upload has ended; it takes no more bytes.");
  const auto size = static_cast<int64_t>(data.size());
  if (committed_size_ + size > uploads_->limits_.max_bytes) {
    UNBRAID_RETURN_IF_ERROR(RemoveFile());
    return FileTooLarge(uploads_->limits_.max_bytes);
  }
  UNBRAID_RETURN_IF_ERROR(uploads_->CheckPart(size, this));
  UNBRAID_RETURN_IF_ERROR(file_->Append(data));
  committed_size_ = file_->size();
  uploads_->ledger_.Grow(key_, committed_size_);
  uploads_->bytes_total_.Increment(static_cast<double>(size));
  return absl::OkStatus();
}

absl::Status UploadWriter::Commit() {
  UNBRAID_RETURN_IF_ERROR(uploads_->Enter(key_, writer_));
  absl::Status status = file_ ? uploads_->Commit(key_).status() : absl::OkStatus();
  uploads_->Leave(key_);
  return status;
}

absl::StatusOr<v1::Track> UploadWriter::Finish() {
  UNBRAID_RETURN_IF_ERROR(uploads_->Enter(key_, writer_));
  absl::StatusOr<v1::Track> track = track_ ? *track_ : MakeTrack();
  uploads_->Leave(key_);
  return track;
}

absl::StatusOr<v1::Track> UploadWriter::MakeTrack() {
  if (!file_) return InvalidUpload("This upload has been refused; begin it anew.");
  if (total_bytes_ > 0 && committed_size_ != total_bytes_) {
    return InvalidUpload(absl::StrCat("total_bytes is ", total_bytes_, ", but the stream ended at ",
                                      committed_size_, "."));
  }
  // Its name as well: the record that is made of it must not outlive it.
  UNBRAID_RETURN_IF_ERROR(uploads_->Commit(key_).status());
  const base::Sha256Digest digest = file_->Digest();
  absl::StatusOr<v1::Track> track = Check(digest);
  if (track.ok()) {
    track = uploads_->tracks_->Adopt({key_, owner_, file_->path(), committed_size_}, *track);
  }
  if (!track.ok()) {
    if (IsRefusal(track.status())) {
      uploads_->refused_total_.Increment();
      UNBRAID_RETURN_IF_ERROR(RemoveFile());
    }
    return track;
  }
  file_.reset();
  track_ = *track;
  uploads_->ledger_.Remove(key_);
  uploads_->finished_total_.Increment();
  telemetry::Info("track uploaded", {{"track", base::TrackId::FromDigest(digest).ToString()},
                                     {"bytes", committed_size_}});
  return track;
}

absl::StatusOr<v1::Track> UploadWriter::Check(const base::Sha256Digest& digest) {
  const base::TrackId id = base::TrackId::FromDigest(digest);
  const std::string sha256 = base::ToHex(digest);
  UNBRAID_ASSIGN_OR_RETURN(std::optional<v1::Track> known,
                           uploads_->tracks_->FindContent(id, sha256));
  // Decoded before; unless somebody else had samples silenced in it that this one wants refused.
  if (known && (known->silenced_samples() == 0 || silence_non_finite_)) return *std::move(known);
  const UploadLimits& limits = uploads_->limits_;
  const audio::DecodeOptions options{silence_non_finite_, limits.max_duration};
  absl::StatusOr<v1::Track> checked = CheckTrack(file_->path(), limits.open_audio, options,
                                                 [this] { return uploads_->draining(); });
  if (absl::IsCancelled(checked.status())) return ShuttingDown();
  UNBRAID_RETURN_IF_ERROR(checked.status());
  v1::Track track = *std::move(checked);
  track.set_name(base::TrackName(id));
  track.set_sha256(sha256);
  track.set_display_name(display_name_);
  track.set_size_bytes(committed_size_);
  const absl::Time now = absl::Now();
  track.mutable_create_time()->set_seconds(absl::ToUnixSeconds(now));
  track.mutable_create_time()->set_nanos(
      static_cast<int32_t>(absl::ToUnixNanos(now) % 1'000'000'000));
  return track;
}

absl::Status UploadWriter::RemoveFile() {
  // The stream ends with an error now, so the writer takes no more; a later one begins at 0.
  const std::string path = file_->path();
  file_.reset();
  committed_size_ = 0;
  UNBRAID_RETURN_IF_ERROR(store::RemoveAll(path));
  uploads_->ledger_.Remove(key_);
  return uploads_->tracks_->EndUpload(key_);
}

}  // namespace unbraid::splitter
