#ifndef UNBRAID_SERVICES_SPLITTER_ROOM_H_
#define UNBRAID_SERVICES_SPLITTER_ROOM_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/common/store/files.h"

namespace unbraid::splitter {

// The room on the splitter's disk. New work is let in only when it fits beside all that was let in
// before and is still to be written; what was let in is never refused, it waits when the disk has
// become full for another reason. Thread-safe; every method may wait for the disk.
class Room {
 public:
  // Bytes that work which was let in has still to write.
  using Promised = std::function<absl::StatusOr<int64_t>()>;
  using FreeBytes = std::function<absl::StatusOr<int64_t>(const std::string& folder)>;

  // `min_free_bytes` must stay free whatever happens.
  Room(std::string folder, int64_t min_free_bytes, FreeBytes free_bytes = store::FreeBytes);

  // Counts what this tells with every admission; to be called before the first one.
  void Count(Promised promised);

  // Calls `accept` if `bytes` more fit; from then on a `Promised` must count them. Nobody else is
  // let in meanwhile. RESOURCE_EXHAUSTED (DISK_FULL) with what is missing; `what` is what would
  // have been let in, for people: "this file".
  absl::Status Admit(int64_t bytes, absl::string_view what,
                     const std::function<absl::Status()>& accept);

  // Whether so many bytes can be written now, whatever is promised to others. DISK_FULL.
  absl::Status CheckFree(int64_t bytes, absl::string_view what) const;

  // What somebody is told for whom a write has just found no room.
  static absl::Status Full(absl::string_view what);

  int64_t min_free_bytes() const { return min_free_bytes_; }

 private:
  absl::Status Check(int64_t bytes, int64_t promised, absl::string_view what) const;

  const std::string folder_;
  const int64_t min_free_bytes_;
  const FreeBytes free_bytes_;

  // Held while work is being let in, so that two never get the same room.
  absl::Mutex mutex_;
  std::vector<Promised> promised_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_ROOM_H_
