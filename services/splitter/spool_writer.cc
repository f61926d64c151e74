#include "services/splitter/spool_writer.h"

#include <atomic>

#include "absl/strings/str_cat.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"

namespace unbraid::splitter {
namespace {

// A name of its own for each run: a cancelled run may still be ending when the separation starts
// anew.
std::string PartPath(const std::string& path) {
  static std::atomic<int64_t> runs{0};
  return absl::StrCat(path, ".", ++runs, ".part");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SpoolWriter>> SpoolWriter::Create(const std::string& path,
                                                                 int channels, int64_t frames) {
  UNBRAID_ASSIGN_OR_RETURN(store::File file,
                           store::File::Open(PartPath(path), store::File::Mode::kCreateEmpty));
  return std::unique_ptr<SpoolWriter>(new SpoolWriter(
      path, std::move(file), frames * channels * static_cast<int64_t>(sizeof(float))));
}

SpoolWriter::~SpoolWriter() {
  // Should this fail, the next start of the splitter removes the file.
  if (!complete_) (void)store::RemoveAll(file_.path());
}

absl::Status SpoolWriter::Append(const std::vector<float>& samples) {
  const absl::string_view bytes =
      audio::AsBytes(samples.data(), static_cast<int64_t>(samples.size()));
  UNBRAID_RETURN_IF_ERROR(file_.WriteAt(written_bytes_, bytes));
  written_bytes_ += static_cast<int64_t>(bytes.size());
  return absl::OkStatus();
}

absl::Status SpoolWriter::Complete() {
  if (written_bytes_ != wanted_bytes_) {
    return absl::InternalError(
        absl::StrCat(path_, " has ", written_bytes_, " bytes instead of ", wanted_bytes_));
  }
  UNBRAID_RETURN_IF_ERROR(file_.Sync());
  UNBRAID_RETURN_IF_ERROR(file_.Close());
  UNBRAID_RETURN_IF_ERROR(store::RenameDurably(file_.path(), path_));
  complete_ = true;
  return absl::OkStatus();
}

}  // namespace unbraid::splitter
