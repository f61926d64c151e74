// Which uploads Uploads takes, as far as room and quotas go.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/splitter/uploads.h"

namespace unbraid::splitter {
namespace {

// The free space is looked at again after so many bytes.
constexpr int64_t kRoomCheckBytes = 16 << 20;
constexpr int kMebibyteShift = 20;
constexpr char kWhat[] = "this file";

absl::Status QuotaExceeded(int64_t limit, int64_t used, int64_t missing) {
  return base::Error(
      absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED",
      absl::StrCat("Your tracks and unfinished uploads may have ", limit >> kMebibyteShift,
                   " MiB together; this file is ", (missing >> kMebibyteShift) + 1,
                   " MiB too much. Delete tracks that you need no more."),
      {{"limit_bytes", absl::StrCat(limit)},
       {"used_bytes", absl::StrCat(used)},
       {"missing_bytes", absl::StrCat(missing)}});
}

}  // namespace

absl::Status Uploads::ReadLedger() {
  UNBRAID_ASSIGN_OR_RETURN(const auto owners, tracks_->UnfinishedUploads());
  for (const auto& [key, owner] : owners) {
    const absl::StatusOr<int64_t> size = store::FileSize(PathOf(key));
    if (size.ok()) {
      ledger_.Begin(key, owner, *size, 0);
    } else {
      UNBRAID_RETURN_IF_ERROR(tracks_->EndUpload(key));
    }
  }
  return absl::OkStatus();
}

// Room for what is to come is kept until the stream ends.
absl::Status Uploads::Admit(const UploadWriter& writer) {
  // A stream that was taken over needs no more.
  ledger_.EndStream(writer.key_);
  const int64_t wanted = std::max<int64_t>(0, writer.total_bytes_ - writer.committed_size_);
  return room_->Admit(wanted, kWhat, [&]() -> absl::Status {
    UNBRAID_RETURN_IF_ERROR(CheckQuota(writer.owner_, wanted));
    UNBRAID_RETURN_IF_ERROR(tracks_->BeginUpload(writer.key_, writer.owner_));
    ledger_.Begin(writer.key_, writer.owner_, writer.committed_size_, writer.total_bytes_);
    return absl::OkStatus();
  });
}

// A part for which room is kept is refused only when the disk is full after all; one of a stream
// that did not tell its size gets what nobody else was promised.
absl::Status Uploads::CheckPart(int64_t size, UploadWriter* writer) {
  const bool expected = writer->Expected(size);
  if (!expected) UNBRAID_RETURN_IF_ERROR(CheckQuota(writer->owner_, size));
  if (writer->committed_size_ + size - writer->room_checked_at_ < kRoomCheckBytes)
    return absl::OkStatus();
  UNBRAID_RETURN_IF_ERROR(expected ? room_->CheckFree(size, kWhat)
                                   : room_->Admit(size, kWhat, [] { return absl::OkStatus(); }));
  writer->room_checked_at_ = writer->committed_size_;
  return absl::OkStatus();
}

absl::Status Uploads::CheckQuota(const std::string& owner, int64_t bytes) const {
  const int64_t limit = limits_.owner_quota_bytes;
  if (limit == 0) return absl::OkStatus();
  UNBRAID_ASSIGN_OR_RETURN(int64_t used, tracks_->HeldBytes(owner));
  used += ledger_.OwnedBy(owner);
  if (bytes <= limit - used) return absl::OkStatus();
  return QuotaExceeded(limit, used, bytes - (limit - used));
}

}  // namespace unbraid::splitter
