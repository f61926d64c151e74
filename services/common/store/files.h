#ifndef UNBRAID_SERVICES_COMMON_STORE_FILES_H_
#define UNBRAID_SERVICES_COMMON_STORE_FILES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace unbraid::store {

// Errors of everything here: RESOURCE_EXHAUSTED (DISK_FULL) when there is no room, NOT_FOUND,
// PERMISSION_DENIED, or what else the system says, with the path in the message.

// Creates the folder and its parents, which then survive a power cut; existing ones are fine.
absl::Status MakeFolders(const std::string& path);

// Makes the folder's entries (created, renamed and removed files) survive a power cut.
absl::Status SyncFolder(const std::string& path);

// Writes a file whole or not at all: temporary name in the same folder, fsync, rename, fsync of the
// folder.
absl::Status WriteFileDurably(const std::string& path, absl::string_view content);

// The same for several files of one folder, which is synced once for all. After an error some may
// be there, each whole.
struct NamedContent {
  std::string path;
  absl::string_view content;
};
absl::Status WriteFilesDurably(absl::Span<const NamedContent> files);

// Renames, and syncs the folder of the target, then that of the source if it is another.
absl::Status RenameDurably(const std::string& from, const std::string& to);

// The whole content; for small files only.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// Removes a file or a folder with all in it; a path that does not exist is fine.
absl::Status RemoveAll(const std::string& path);

// The names of what is in a folder, in any order.
absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path);

absl::StatusOr<int64_t> FileSize(const std::string& path);

// When the content of a file last changed.
absl::StatusOr<absl::Time> ModifiedAt(const std::string& path);

// Bytes that a process without privileges can still write on the file system of `path`.
absl::StatusOr<int64_t> FreeBytes(const std::string& path);

// A file open for reading and writing at any position. Not thread-safe.
class File {
 public:
  enum class Mode { kRead, kCreateOrOpen, kCreateEmpty };

  static absl::StatusOr<File> Open(const std::string& path, Mode mode);

  // Takes over a descriptor that somebody else has opened; `name` is for messages.
  static File FromDescriptor(int descriptor, const std::string& name) {
    return File(descriptor, name);
  }

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  // Writes all bytes at `offset`.
  absl::Status WriteAt(int64_t offset, absl::string_view bytes);

  // Reads up to `size` bytes at `offset` into `buffer`; fewer only at the end of the file.
  absl::StatusOr<int64_t> ReadAt(int64_t offset, char* buffer, int64_t size) const;

  absl::StatusOr<int64_t> Size() const;

  // Hides what stands before `begin`: from now on reading and Size() are as if the file began
  // there. For files that are only read.
  void StartAt(int64_t begin) { begin_ = begin; }

  absl::Status Truncate(int64_t size);

  // Has the system begin to write what was written to it, so that Sync() has less to wait for.
  // Promises nothing.
  void BeginSync() const;

  // fdatasync: the content survives a power cut.
  absl::Status Sync();

  // Closes and reports what the destructor could not.
  absl::Status Close();

  const std::string& path() const { return path_; }

  // Stays this object's.
  int descriptor() const { return descriptor_; }

 private:
  File(int descriptor, std::string path);

  int descriptor_;
  std::string path_;
  int64_t begin_ = 0;
};

}  // namespace unbraid::store

#endif  // UNBRAID_SERVICES_COMMON_STORE_FILES_H_
