#ifndef UNBRAID_SERVICES_WORKER_BLOCK_ARENA_H_
#define UNBRAID_SERVICES_WORKER_BLOCK_ARENA_H_

#include <cstddef>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace unbraid::worker {

// Large blocks of memory, out of one range of addresses, whose pages stay with the process when a
// block is given back: the next one that takes them finds them there. The smallest gap that is
// large enough serves, the lowest of several; gaps side by side become one. Thread-safe.
class BlockArena {
 public:
  // Every block begins at a multiple of it, and takes one.
  static constexpr size_t kAlignment = 4096;

  // Addresses for so many bytes; none of them is memory yet.
  explicit BlockArena(size_t reserved_bytes);
  ~BlockArena();
  BlockArena(const BlockArena&) = delete;
  BlockArena& operator=(const BlockArena&) = delete;

  // Null when the addresses are used up or the system gives no memory. What is in it is undefined.
  void* Take(size_t bytes);

  // `block` is one that was taken.
  void GiveBack(void* block);

  // Whether it is one of those that were taken here.
  bool Owns(const void* block) const;

  // Gives the pages of all gaps back to the system.
  void Trim();

  // In blocks that are taken; and from the lowest to the highest address that was ever used.
  size_t taken_bytes() const;
  size_t span_bytes() const;

 private:
  using Gap = std::pair<size_t, size_t>;  // size and offset

  bool Grow(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddGap(size_t offset, size_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveGap(size_t offset, size_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  size_t reserved_ = 0;
  char* base_ = nullptr;  // null when there were no addresses to be had

  mutable absl::Mutex mutex_;
  size_t span_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<Gap> gaps_ ABSL_GUARDED_BY(mutex_);
  std::map<size_t, size_t> sizes_of_gaps_ ABSL_GUARDED_BY(mutex_);     // by offset
  std::unordered_map<size_t, size_t> blocks_ ABSL_GUARDED_BY(mutex_);  // sizes, by offset
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_BLOCK_ARENA_H_
