#ifndef UNBRAID_SERVICES_COMMON_STORE_OBJECT_FOLDER_H_
#define UNBRAID_SERVICES_COMMON_STORE_OBJECT_FOLDER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace unbraid::store {

// Audio that waits beside the messages instead of in them: a folder that splitter, workers and
// assemblers share, on a disk of their machine or on a volume that all of them mount.
//
// An object is written once, read by whoever has its URI, and removed by whoever takes its message
// out of the system; it never changes. It is no more durable than the file system makes it by
// itself: a power cut may take it or damage it, so a message carries the checksum of its object,
// and what is lost is computed again.
//
// An object belongs to a group, which is named by two words: the assembler that a separation
// belongs to, and the attempt of the separation. That assembler removes what is left of a group.
// Thread-safe, and safe beside other processes.
class ObjectFolder {
 public:
  // Messages carry no more either.
  static constexpr int64_t kMostBytes = int64_t{16} << 20;
  // What stays free on the disk, for those who cannot send their bytes elsewhere.
  static constexpr int64_t kSpareBytes = int64_t{256} << 20;

  // Makes the folder if it is not there. What the system says when that cannot be. Services that
  // run as different users need one that was made for their group.
  static absl::StatusOr<ObjectFolder> Open(const std::string& folder);

  // Words of names, of which a URI is made: letters, digits, `-`, `_` and `.`, which is not the
  // first.
  static bool IsWord(absl::string_view word);

  // Writes an object under a name that nobody has used before, and gives its URI: `folder:` and the
  // group and a name. INVALID_ARGUMENT when the group is not made of words, or there are too many
  // bytes; RESOURCE_EXHAUSTED (DISK_FULL) when less than kSpareBytes would be left on the disk, or
  // what else the system says. Then nothing is there.
  absl::StatusOr<std::string> Put(absl::string_view owner, absl::string_view group,
                                  absl::string_view bytes) const;

  // Reads an object of `size` bytes. `bytes` may hold an earlier one, whose memory is used again.
  // INVALID_ARGUMENT for a URI that this folder does not give, NOT_FOUND when there is no such
  // object, DATA_LOSS when it has another size.
  absl::Status Read(absl::string_view uri, int64_t size, std::string* bytes) const;

  // Removes an object; one that is not there, or whose URI is none, is fine. What cannot be removed
  // goes with its group.
  void Remove(absl::string_view uri) const;

  // Removes all groups of an owner but these, and but those in which something was written or
  // removed after `before`. Somebody may still write to what is removed, or remove what is in it.
  absl::Status RemoveOthers(absl::string_view owner, const std::set<std::string>& groups,
                            absl::Time before) const;

  const std::string& path() const { return path_; }

 private:
  explicit ObjectFolder(std::string path);

  absl::StatusOr<std::string> PathOf(absl::string_view uri) const;

  std::string path_;
};

// What a flag names: none when it is empty.
absl::StatusOr<std::optional<ObjectFolder>> OpenObjectFolder(const std::string& folder);

}  // namespace unbraid::store

#endif  // UNBRAID_SERVICES_COMMON_STORE_OBJECT_FOLDER_H_
