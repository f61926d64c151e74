#include "services/common/store/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::store {
namespace {

// Less what the umask takes.
constexpr mode_t kFileMode = 0666;
constexpr mode_t kFolderMode = 0777;

absl::Status Failed(int error, absl::string_view doing, const std::string& path) {
  const std::string what = absl::StrCat("cannot ", doing, " ", path);
  if (error == ENOSPC || error == EDQUOT) {
    return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                       absl::StrCat(what, ": no space left on the disk"));
  }
  return absl::ErrnoToStatus(error, what);
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string Temporary(const NamedContent& file) { return absl::StrCat(file.path, ".tmp"); }

absl::Status WriteSynced(const std::string& path, absl::string_view content) {
  UNBRAID_ASSIGN_OR_RETURN(File file, File::Open(path, File::Mode::kCreateEmpty));
  UNBRAID_RETURN_IF_ERROR(file.WriteAt(0, content));
  UNBRAID_RETURN_IF_ERROR(file.Sync());
  return file.Close();
}

absl::Status Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return Failed(errno, absl::StrCat("rename ", from, " to"), to);
}

}  // namespace

absl::Status MakeFolders(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // it ended with a slash
  if (folder.empty()) return absl::OkStatus();
  const std::string name = folder.string();
  int result = mkdir(name.c_str(), kFolderMode);
  if (result != 0 && errno == ENOENT) {
    UNBRAID_RETURN_IF_ERROR(MakeFolders(FolderOf(name)));
    result = mkdir(name.c_str(), kFolderMode);
  }
  if (result == 0) return SyncFolder(FolderOf(name));
  const int error = errno;
  std::error_code unknown;
  if (error != EEXIST || !std::filesystem::is_directory(folder, unknown))
    return Failed(error, "create the folder", path);
  // Whoever made it may have been killed before it was durable; or it belongs to somebody else, who
  // lets nobody sync it.
  (void)SyncFolder(FolderOf(name));
  return absl::OkStatus();
}

absl::Status SyncFolder(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Failed(errno, "open the folder", path);
  const int result = fsync(descriptor);
  const int error = errno;
  close(descriptor);
  return result != 0 ? Failed(error, "sync the folder", path) : absl::OkStatus();
}

absl::Status RenameDurably(const std::string& from, const std::string& to) {
  UNBRAID_RETURN_IF_ERROR(Rename(from, to));
  UNBRAID_RETURN_IF_ERROR(SyncFolder(FolderOf(to)));
  return FolderOf(from) == FolderOf(to) ? absl::OkStatus() : SyncFolder(FolderOf(from));
}

absl::Status WriteFileDurably(const std::string& path, absl::string_view content) {
  return WriteFilesDurably({{path, content}});
}

absl::Status WriteFilesDurably(absl::Span<const NamedContent> files) {
  absl::Status status;
  for (const NamedContent& file : files) {
    if (status.ok()) status = WriteSynced(Temporary(file), file.content);
  }
  for (const NamedContent& file : files) {
    if (status.ok()) status = Rename(Temporary(file), file.path);
  }
  if (status.ok() && !files.empty()) status = SyncFolder(FolderOf(files.front().path));
  if (status.ok()) return status;
  for (const NamedContent& file : files) unlink(Temporary(file).c_str());
  return status;
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(const File file, File::Open(path, File::Mode::kRead));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t size, file.Size());
  std::string content(static_cast<size_t>(size), '\0');
  UNBRAID_ASSIGN_OR_RETURN(const int64_t read, file.ReadAt(0, content.data(), size));
  content.resize(static_cast<size_t>(read));
  return content;
}

absl::Status RemoveAll(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? Failed(error.value(), "remove", path) : absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  // Its ++ would throw.
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return Failed(error.value(), "list", path);
  return names;
}

absl::StatusOr<int64_t> FileSize(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return Failed(errno, "look at", path);
  return static_cast<int64_t>(info.st_size);
}

absl::StatusOr<absl::Time> ModifiedAt(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return Failed(errno, "look at", path);
  return absl::TimeFromTimespec(info.st_mtim);
}

absl::StatusOr<int64_t> FreeBytes(const std::string& path) {
  struct statvfs info {};
  if (statvfs(path.c_str(), &info) != 0) return Failed(errno, "look at the disk of", path);
  return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
}

absl::StatusOr<File> File::Open(const std::string& path, Mode mode) {
  int flags = O_CLOEXEC;
  switch (mode) {
    case Mode::kRead:
      flags |= O_RDONLY;
      break;
    case Mode::kCreateOrOpen:
      flags |= O_RDWR | O_CREAT;
      break;
    case Mode::kCreateEmpty:
      flags |= O_RDWR | O_CREAT | O_TRUNC;
      break;
  }
  const int descriptor = open(path.c_str(), flags, kFileMode);
  if (descriptor < 0) return Failed(errno, "open", path);
  return File(descriptor, path);
}

File::File(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      begin_(other.begin_) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = std::exchange(other.descriptor_, -1);
    path_ = std::move(other.path_);
    begin_ = other.begin_;
  }
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status File::WriteAt(int64_t offset, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed(errno, "write", path_);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += written;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> File::ReadAt(int64_t offset, char* buffer, int64_t size) const {
  int64_t total = 0;
  while (total < size) {
    const ssize_t got = pread(descriptor_, buffer + total, static_cast<size_t>(size - total),
                              begin_ + offset + total);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(errno, "read", path_);
    if (got == 0) break;
    total += got;
  }
  return total;
}

absl::StatusOr<int64_t> File::Size() const {
  struct stat info {};
  if (fstat(descriptor_, &info) == 0) return static_cast<int64_t>(info.st_size) - begin_;
  // The C library asks by a call that takes a path too, which a confined process may not make.
  const off_t end = errno == EPERM ? lseek(descriptor_, 0, SEEK_END) : -1;
  return end >= 0 ? absl::StatusOr<int64_t>(end - begin_) : Failed(errno, "look at", path_);
}

absl::Status File::Truncate(int64_t size) {
  return ftruncate(descriptor_, size) != 0 ? Failed(errno, "truncate", path_) : absl::OkStatus();
}

void File::BeginSync() const {
  (void)sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE);  // all of it
}

absl::Status File::Sync() {
  return fdatasync(descriptor_) != 0 ? Failed(errno, "sync", path_) : absl::OkStatus();
}

absl::Status File::Close() {
  const int descriptor = std::exchange(descriptor_, -1);
  if (descriptor < 0) return absl::OkStatus();
  return close(descriptor) != 0 ? Failed(errno, "close", path_) : absl::OkStatus();
}

}  // namespace unbraid::store
