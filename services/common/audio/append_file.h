#ifndef UNBRAID_SERVICES_COMMON_AUDIO_APPEND_FILE_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_APPEND_FILE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::audio {

// A new file that grows at its end, for libraries that hand over bytes. Not thread-safe; errors are
// those of store::File.
class AppendFile {
 public:
  static absl::StatusOr<AppendFile> Create(const std::string& path) {
    UNBRAID_ASSIGN_OR_RETURN(store::File file,
                             store::File::Open(path, store::File::Mode::kCreateEmpty));
    return AppendFile(std::move(file));
  }

  absl::Status Append(absl::string_view bytes) {
    UNBRAID_RETURN_IF_ERROR(file_.WriteAt(size_, bytes));
    size_ += static_cast<int64_t>(bytes.size());
    return absl::OkStatus();
  }

  absl::Status Append(const unsigned char* bytes, int64_t count) {
    return Append({reinterpret_cast<const char*>(bytes), static_cast<size_t>(count)});
  }

  absl::Status Overwrite(int64_t offset, absl::string_view bytes) {
    return file_.WriteAt(offset, bytes);
  }

  absl::Status Close() { return file_.Close(); }

 private:
  explicit AppendFile(store::File file) : file_(std::move(file)) {}

  store::File file_;
  int64_t size_ = 0;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_APPEND_FILE_H_
