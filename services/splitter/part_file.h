#ifndef UNBRAID_SERVICES_SPLITTER_PART_FILE_H_
#define UNBRAID_SERVICES_SPLITTER_PART_FILE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/base/sha256.h"
#include "services/common/store/files.h"

namespace unbraid::splitter {

// A file that grows at its end, and is hashed while it does. Not thread-safe.
class PartFile {
 public:
  // Opens or creates it; what is there already is read once, for the hash. CANCELLED when `give_up`
  // says so meanwhile.
  static absl::StatusOr<PartFile> Open(const std::string& path,
                                       const std::function<bool()>& give_up);

  // Appends. After an error the file is as long as before.
  absl::Status Append(absl::string_view bytes);

  // Bytes that it holds.
  int64_t size() const { return size_; }
  const std::string& path() const { return file_.path(); }

  // Makes the content survive a power cut.
  absl::Status Sync() { return file_.Sync(); }

  // Digest of the content; nothing may be appended afterwards.
  base::Sha256Digest Digest() { return sha256_.Finish(); }

 private:
  explicit PartFile(store::File file) : file_(std::move(file)) {}
  absl::Status Rehash(const std::function<bool()>& give_up);

  store::File file_;
  base::Sha256 sha256_;
  int64_t size_ = 0;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_PART_FILE_H_
