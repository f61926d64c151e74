#ifndef UNBRAID_SERVICES_COMMON_STORE_DISK_WATCH_H_
#define UNBRAID_SERVICES_COMMON_STORE_DISK_WATCH_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace unbraid::store {

// Whether a folder's disk is nearly full, for probes, which must not wait for a disk. Thread-safe.
class DiskWatch {
 public:
  // Looks once.
  DiskWatch(std::string folder, int64_t min_free_bytes);

  // Looks at the disk, and may wait for it. To be called a few times a second.
  void Look();

  // As of the last look: UNAVAILABLE, with a sentence that names no path, when less than
  // `min_free_bytes` are free or the disk could not be looked at.
  absl::Status state() const;

 private:
  absl::Status Measure() const;

  const std::string folder_;
  const int64_t min_free_bytes_;

  mutable absl::Mutex mutex_;
  absl::Status state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::store

#endif  // UNBRAID_SERVICES_COMMON_STORE_DISK_WATCH_H_
