#include "services/worker/cpu_limit.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace unbraid::worker {
namespace {

using Limit = std::optional<double>;

Limit Lesser(Limit a, Limit b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

// The words of a small file; none when it cannot be read.
std::vector<std::string> Words(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> words;
  for (std::string word; file >> word;) words.push_back(word);
  return words;
}

Limit Ratio(const std::string& quota, const std::string& period) {
  double allowed = 0;
  double of = 0;
  if (!absl::SimpleAtod(quota, &allowed) || !absl::SimpleAtod(period, &of)) return std::nullopt;
  if (allowed <= 0 || of <= 0) return std::nullopt;  // v1 writes -1 for "no limit", v2 "max"
  return allowed / of;
}

Limit LimitOfV2(const std::string& folder) {
  const std::vector<std::string> words = Words(folder + "/cpu.max");
  return words.size() == 2 ? Ratio(words[0], words[1]) : std::nullopt;
}

Limit LimitOfV1(const std::string& folder) {
  const std::vector<std::string> quota = Words(folder + "/cpu.cfs_quota_us");
  const std::vector<std::string> period = Words(folder + "/cpu.cfs_period_us");
  return quota.size() == 1 && period.size() == 1 ? Ratio(quota[0], period[0]) : std::nullopt;
}

// The least limit of a group and its parents. In a container the group's path often is not visible
// under the mount, which then shows the container's own group at its root; the walk ends there.
template <typename LimitOf>
Limit LeastOnTheWayUp(const std::string& mount, std::string path, LimitOf limit_of) {
  Limit least = limit_of(mount);
  while (!path.empty() && path != "/") {
    least = Lesser(least, limit_of(mount + path));
    path.resize(path.rfind('/'));
  }
  return least;
}

bool Contains(const std::string& list, const std::string& wanted) {
  const std::vector<std::string> items = absl::StrSplit(list, ',');
  return std::find(items.begin(), items.end(), wanted) != items.end();
}

}  // namespace

Limit CgroupCpuLimit(const std::string& root) {
  const std::string mounts = root + "/sys/fs/cgroup";
  std::ifstream groups(root + "/proc/self/cgroup");
  Limit limit;
  // Lines are `number:controllers:path`; number 0 without controllers is v2.
  for (std::string line; std::getline(groups, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3 || parts[2].empty() || parts[2][0] != '/') continue;
    if (parts[1].empty()) {
      for (const char* mount : {"", "/unified"}) {
        limit = Lesser(limit, LeastOnTheWayUp(mounts + mount, parts[2], LimitOfV2));
      }
    } else if (Contains(parts[1], "cpu")) {
      for (const std::string& mount : {parts[1], std::string("cpu")}) {
        limit =
            Lesser(limit, LeastOnTheWayUp(absl::StrCat(mounts, "/", mount), parts[2], LimitOfV1));
      }
    }
  }
  return limit;
}

int SchedulableCpus() {
  // The set must be as large as the kernel's own, which no header tells.
  for (int cpus = CPU_SETSIZE; cpus <= (1 << 20); cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(cpus));
    const size_t size = CPU_ALLOC_SIZE(static_cast<size_t>(cpus));
    const bool known = sched_getaffinity(0, size, set) == 0;
    const int count = known ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (known) return std::max(count, 1);
  }
  return 1;
}

int ThreadsWithin(Limit cgroup_limit, int schedulable) {
  const int most = std::max(schedulable, 1);
  if (!cgroup_limit || *cgroup_limit >= most) return most;
  return std::max(static_cast<int>(*cgroup_limit), 1);
}

}  // namespace unbraid::worker
