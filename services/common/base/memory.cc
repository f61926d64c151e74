#include "services/common/base/memory.h"

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace unbraid::base {

void KeepLargeBlocks() {
#if defined(__GLIBC__)
  constexpr int kLargestBlock = 16 << 20;
  constexpr int kKept = 32 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargestBlock);
  mallopt(M_TRIM_THRESHOLD, kKept);
#endif
}

}  // namespace unbraid::base
