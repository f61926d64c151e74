#include "services/common/store/folder_lock.h"

#include <sys/file.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::store {

absl::StatusOr<FolderLock> FolderLock::Take(const std::string& folder) {
  UNBRAID_RETURN_IF_ERROR(MakeFolders(folder));
  const std::string path = absl::StrCat(folder, "/lock");
  UNBRAID_ASSIGN_OR_RETURN(File file, File::Open(path, File::Mode::kCreateOrOpen));
  if (flock(file.descriptor(), LOCK_EX | LOCK_NB) == 0) return FolderLock(std::move(file));
  if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", path));
  return absl::FailedPreconditionError(
      absl::StrCat("another process is at work in ", folder,
                   "; stop that one, or give this one a folder of its own with --data"));
}

}  // namespace unbraid::store
