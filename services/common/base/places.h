#ifndef UNBRAID_SERVICES_COMMON_BASE_PLACES_H_
#define UNBRAID_SERVICES_COMMON_BASE_PLACES_H_

#include <atomic>
#include <memory>

namespace unbraid::base {

// Counts what may exist only so often at a time. Thread-safe; outlives its places.
class Places {
 public:
  explicit Places(int most) : free_(most) {}

  // A place, given back when the last pointer to it goes; null when all are taken.
  std::shared_ptr<void> Take() {
    if (--free_ >= 0) return std::shared_ptr<void>(&free_, [this](void*) { ++free_; });
    ++free_;
    return nullptr;
  }

 private:
  std::atomic<int> free_;
};

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_PLACES_H_
