#include "services/assembler/download_reactor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/grpc/unary.h"

namespace unbraid::assembler {
namespace {

constexpr int64_t kPartBytes = 256 << 10;

}  // namespace

DownloadReactor::DownloadReactor(std::string owner, const v1::DownloadStemRequest& request,
                                 const Parts& parts)
    : owner_(std::move(owner)), parts_(parts), offset_(request.read_offset()) {
  const absl::StatusOr<base::StemRef> stem = base::ParseStemName(request.name());
  if (!stem.ok()) {
    FinishNow(grpc_util::ToGrpc(stem.status()));
    return;
  }
  Hold();
  const bool posted = parts_.place != nullptr &&
                      parts_.engine_executor->TryPost([this, stem = *stem] { Begin(stem); });
  if (posted) return;
  FinishNow(grpc_util::ToGrpc(grpc_util::Overloaded()));
  Release();
}

// On the engine's thread, so that the file cannot be deleted before it is open.
void DownloadReactor::Begin(const base::StemRef& stem) {
  const absl::Status opened = OpenFile(stem);
  if (!opened.ok()) {
    FinishNow(grpc_util::ToGrpc(opened));
  } else {
    OnDrained();
  }
  Release();
}

absl::Status DownloadReactor::OpenFile(const base::StemRef& stem) {
  UNBRAID_ASSIGN_OR_RETURN(Engine::Download download, parts_.engine->FindDownload(owner_, stem));
  size_ = download.stem_file.size_bytes();
  if (offset_ < 0 || offset_ > size_) {
    return base::Error(
        absl::StatusCode::kOutOfRange, "INVALID_OFFSET",
        absl::StrCat("The file has ", size_, " bytes; read_offset must be 0 to that."));
  }
  UNBRAID_ASSIGN_OR_RETURN(file_, store::File::Open(download.path, store::File::Mode::kRead));
  stem_file_ = std::move(download.stem_file);
  return absl::OkStatus();
}

void DownloadReactor::OnDrained() {
  if (offset_ == size_ && !stem_file_.has_value()) return FinishAfterQueue(grpc::Status::OK);
  if (!TryHold()) return;
  const bool posted = parts_.disk_executor->Post([this] { ReadPart(); });
  if (posted) return;
  FinishNow(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the assembler is shutting down"));
  Release();
}

void DownloadReactor::ReadPart() {
  const absl::Status status = SendPart();
  if (!status.ok()) FinishNow(grpc_util::ToGrpc(status));
  Release();
}

absl::Status DownloadReactor::SendPart() {
  v1::DownloadStemResponse part;
  std::string* data = part.mutable_data();
  data->resize(static_cast<size_t>(std::min(kPartBytes, size_ - offset_)));
  UNBRAID_ASSIGN_OR_RETURN(
      const int64_t got, file_->ReadAt(offset_, data->data(), static_cast<int64_t>(data->size())));
  if (got != static_cast<int64_t>(data->size())) {
    return absl::DataLossError(absl::StrCat(file_->path(), " is shorter than its record says"));
  }
  part.set_offset(offset_);
  part.set_crc32c(base::Crc32c(*data));
  if (stem_file_.has_value()) *part.mutable_stem_file() = *std::exchange(stem_file_, std::nullopt);
  offset_ += got;
  Enqueue(std::move(part));
  return absl::OkStatus();
}

}  // namespace unbraid::assembler
