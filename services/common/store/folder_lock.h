#ifndef UNBRAID_SERVICES_COMMON_STORE_FOLDER_LOCK_H_
#define UNBRAID_SERVICES_COMMON_STORE_FOLDER_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "services/common/store/files.h"

namespace unbraid::store {

// A process's hold on its data folder: what a start clears away as left behind may be what another
// process is at. It ends with this object, or with the process, however that ends.
class FolderLock {
 public:
  // Makes the folder if it is not there. FAILED_PRECONDITION when somebody else has it.
  static absl::StatusOr<FolderLock> Take(const std::string& folder);

 private:
  explicit FolderLock(File file) : file_(std::move(file)) {}

  File file_;
};

}  // namespace unbraid::store

#endif  // UNBRAID_SERVICES_COMMON_STORE_FOLDER_LOCK_H_
