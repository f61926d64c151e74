#include "services/common/base/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace unbraid::base {
namespace {

constexpr rlim_t kEnough = 65'536;

}  // namespace

void RaiseFileLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnough));
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace unbraid::base
