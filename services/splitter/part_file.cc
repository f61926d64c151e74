#include "services/splitter/part_file.h"

#include <utility>

#include "services/common/base/status.h"

namespace unbraid::splitter {
namespace {

constexpr int64_t kBlockBytes = 1 << 20;

}  // namespace

absl::StatusOr<PartFile> PartFile::Open(const std::string& path,
                                        const std::function<bool()>& give_up) {
  UNBRAID_ASSIGN_OR_RETURN(store::File file,
                           store::File::Open(path, store::File::Mode::kCreateOrOpen));
  PartFile part(std::move(file));
  UNBRAID_RETURN_IF_ERROR(part.Rehash(give_up));
  return part;
}

absl::Status PartFile::Rehash(const std::function<bool()>& give_up) {
  std::string block(kBlockBytes, '\0');
  while (!give_up()) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file_.ReadAt(size_, block.data(), kBlockBytes));
    if (got == 0) return absl::OkStatus();
    sha256_.Update(absl::string_view(block.data(), static_cast<size_t>(got)));
    size_ += got;
  }
  return absl::CancelledError("given up while the file was being read");
}

absl::Status PartFile::Append(absl::string_view bytes) {
  absl::Status status = file_.WriteAt(size_, bytes);
  if (!status.ok()) {
    // What was written of the part is not counted; cutting it off keeps the size truthful.
    (void)file_.Truncate(size_);
    return status;
  }
  sha256_.Update(bytes);
  size_ += static_cast<int64_t>(bytes.size());
  return absl::OkStatus();
}

}  // namespace unbraid::splitter
