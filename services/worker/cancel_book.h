#ifndef UNBRAID_SERVICES_WORKER_CANCEL_BOOK_H_
#define UNBRAID_SERVICES_WORKER_CANCEL_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "services/common/base/ids.h"

namespace unbraid::worker {

// Remembers which separations ended lately, so that their queued chunks are thrown away instead of
// computed. It forgets the oldest beyond its capacity: then a chunk is computed for nothing, and
// its result is ignored by the assembler. Thread-safe.
class CancelBook {
 public:
  explicit CancelBook(size_t capacity);

  // Attempts of the separation up to this one have ended.
  void Add(base::SeparationId separation, int32_t attempt);

  bool HasEnded(base::SeparationId separation, int32_t attempt) const;

  size_t size() const;

 private:
  struct Entry {
    int32_t attempt;
    std::list<base::SeparationId>::iterator position;
  };

  const size_t capacity_;
  mutable absl::Mutex mutex_;
  std::list<base::SeparationId> newest_first_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<base::SeparationId, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_CANCEL_BOOK_H_
