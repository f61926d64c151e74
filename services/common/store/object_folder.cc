#include "services/common/store/object_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::store {
namespace {

constexpr char kScheme[] = "folder:";
constexpr size_t kMostWordBytes = 200;  // a file's name has 255 at most
// It is a user's audio; the group is for services that run as different users.
constexpr mode_t kFileMode = 0660;
constexpr mode_t kFolderMode = 02770;

bool IsWordLetter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
}

// So long that nobody has had it before.
std::string NewName() {
  thread_local absl::BitGen random;
  return absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16),
                      absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16));
}

absl::StatusOr<File> Create(const std::string& path) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  (void)fchmod(descriptor, kFileMode);  // whatever the umask
  return File::FromDescriptor(descriptor, path);
}

void MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), kFolderMode) == 0) (void)chmod(path.c_str(), kFolderMode);
}

// None where it cannot be read, or is not there.
std::vector<std::string> NamesIn(const std::string& folder) {
  return ListFolder(folder).value_or(std::vector<std::string>());
}

// Removes a folder of files.
absl::Status RemoveFlat(const std::string& folder) {
  for (const std::string& name : NamesIn(folder)) unlink(absl::StrCat(folder, "/", name).c_str());
  if (rmdir(folder.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove ", folder));
}

absl::Status WriteNew(const std::string& path, absl::string_view bytes) {
  UNBRAID_ASSIGN_OR_RETURN(File file, Create(path));
  absl::Status status = file.WriteAt(0, bytes);
  status.Update(file.Close());
  if (!status.ok()) unlink(path.c_str());
  return status;
}

}  // namespace

absl::StatusOr<ObjectFolder> ObjectFolder::Open(const std::string& folder) {
  UNBRAID_RETURN_IF_ERROR(MakeFolders(folder));
  return ObjectFolder(folder);
}

ObjectFolder::ObjectFolder(std::string path) : path_(std::move(path)) {}

bool ObjectFolder::IsWord(absl::string_view word) {
  return !word.empty() && word.size() <= kMostWordBytes && word.front() != '.' &&
         std::all_of(word.begin(), word.end(), IsWordLetter);
}

absl::StatusOr<std::string> ObjectFolder::Put(absl::string_view owner, absl::string_view group,
                                              absl::string_view bytes) const {
  if (!IsWord(owner) || !IsWord(group)) {
    return absl::InvalidArgumentError(absl::StrCat(owner, "/", group, " cannot name a folder"));
  }
  if (static_cast<int64_t>(bytes.size()) > kMostBytes) {
    return absl::InvalidArgumentError(absl::StrCat(bytes.size(), " bytes are too many"));
  }
  UNBRAID_ASSIGN_OR_RETURN(const int64_t free, FreeBytes(path_));
  if (free - static_cast<int64_t>(bytes.size()) < kSpareBytes) {
    return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                       absl::StrCat("the disk of ", path_, " has only ", free, " bytes left"));
  }
  const std::string owner_folder = absl::StrCat(path_, "/", owner);
  const std::string group_folder = absl::StrCat(owner_folder, "/", group);
  const std::string name = NewName();
  const std::string path = absl::StrCat(group_folder, "/", name);
  absl::Status written = WriteNew(path, bytes);
  if (absl::IsNotFound(written)) {
    // The first of its group, or the first after a while.
    MakeFolder(owner_folder);
    MakeFolder(group_folder);
    written = WriteNew(path, bytes);
  }
  UNBRAID_RETURN_IF_ERROR(written);
  return absl::StrCat(kScheme, owner, "/", group, "/", name);
}

absl::StatusOr<std::string> ObjectFolder::PathOf(absl::string_view uri) const {
  absl::string_view rest = uri;
  const bool ours = absl::ConsumePrefix(&rest, kScheme);
  const std::vector<absl::string_view> words = absl::StrSplit(rest, '/');
  if (!ours || words.size() != 3 || !std::all_of(words.begin(), words.end(), IsWord)) {
    return absl::InvalidArgumentError(absl::StrCat(uri, " is no object of a folder"));
  }
  return absl::StrCat(path_, "/", rest);
}

absl::Status ObjectFolder::Read(absl::string_view uri, int64_t size, std::string* bytes) const {
  UNBRAID_ASSIGN_OR_RETURN(const std::string path, PathOf(uri));
  if (size < 0 || size > kMostBytes) {
    return absl::InvalidArgumentError(absl::StrCat("no object has ", size, " bytes"));
  }
  UNBRAID_ASSIGN_OR_RETURN(const File file, File::Open(path, File::Mode::kRead));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t there, file.Size());
  if (there != size) {
    return absl::DataLossError(absl::StrCat(path, " has ", there, " bytes instead of ", size));
  }
  bytes->resize(static_cast<size_t>(size));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file.ReadAt(0, bytes->data(), size));
  return got == size ? absl::OkStatus() : absl::DataLossError(absl::StrCat(path, " was cut short"));
}

void ObjectFolder::Remove(absl::string_view uri) const {
  const absl::StatusOr<std::string> path = PathOf(uri);
  if (path.ok()) unlink(path->c_str());
}

absl::Status ObjectFolder::RemoveOthers(absl::string_view owner,
                                        const std::set<std::string>& groups,
                                        absl::Time before) const {
  if (!IsWord(owner)) return absl::OkStatus();  // it has none
  const std::string folder = absl::StrCat(path_, "/", owner, "/");
  absl::Status status;
  for (const std::string& name : NamesIn(folder)) {
    std::error_code unknown;
    if (groups.count(name) > 0 || !std::filesystem::is_directory(folder + name, unknown)) continue;
    const absl::StatusOr<absl::Time> changed = ModifiedAt(folder + name);
    if (changed.ok() && *changed < before) status.Update(RemoveFlat(folder + name));
  }
  return status;
}

absl::StatusOr<std::optional<ObjectFolder>> OpenObjectFolder(const std::string& folder) {
  if (folder.empty()) return std::nullopt;
  UNBRAID_ASSIGN_OR_RETURN(ObjectFolder opened, ObjectFolder::Open(folder));
  return opened;
}

}  // namespace unbraid::store
