#include "services/worker/cpu_limit.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temp_dir.h"

namespace unbraid::worker {
namespace {

// A machine's /proc and /sys as far as they matter here.
class FakeRoot {
 public:
  FakeRoot& Group(const std::string& lines) { return File("/proc/self/cgroup", lines); }
  FakeRoot& File(const std::string& path, const std::string& content) {
    const std::filesystem::path full = folder_.path() + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << content;
    return *this;
  }
  std::optional<double> Limit() const { return CgroupCpuLimit(folder_.path()); }

 private:
  test_support::TempDir folder_;
};

TEST_CASE("a cgroup v2 limit is quota by period") {
  FakeRoot root;
  root.Group("0::/\n").File("/sys/fs/cgroup/cpu.max", "400000 100000\n");
  CHECK(root.Limit() == 4.0);
}

TEST_CASE("a cgroup v2 limit of a parent group counts") {
  FakeRoot root;
  root.Group("0::/kubepods/pod1/worker\n")
      .File("/sys/fs/cgroup/kubepods/pod1/worker/cpu.max", "max 100000\n")
      .File("/sys/fs/cgroup/kubepods/pod1/cpu.max", "150000 100000\n")
      .File("/sys/fs/cgroup/kubepods/cpu.max", "800000 100000\n");
  CHECK(root.Limit() == 1.5);
}

TEST_CASE("a cgroup v2 group without a limit has none") {
  FakeRoot root;
  root.Group("0::/\n").File("/sys/fs/cgroup/cpu.max", "max 100000\n");
  CHECK_FALSE(root.Limit());
}

TEST_CASE("a cgroup v1 limit is quota by period") {
  FakeRoot root;
  root.Group("4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n")
      .File("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "250000\n")
      .File("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n")
      .File("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
      .File("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  CHECK(root.Limit() == 2.5);
}

TEST_CASE("a cgroup v1 container that sees only its own group is limited by it") {
  FakeRoot root;
  root.Group("3:cpu:/docker/abc\n")
      .File("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n")
      .File("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(root.Limit() == 3.0);
}

TEST_CASE("a cgroup v1 group without a quota has no limit") {
  FakeRoot root;
  root.Group("3:cpu:/\n")
      .File("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
      .File("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(root.Limit());
}

TEST_CASE("where both versions are mounted the lesser limit counts") {
  FakeRoot root;
  root.Group("1:cpu:/\n0::/a\n")
      .File("/sys/fs/cgroup/unified/a/cpu.max", "200000 100000\n")
      .File("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "500000\n")
      .File("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(root.Limit() == 2.0);
}

TEST_CASE("what cannot be read or understood is no limit") {
  FakeRoot root;
  SECTION("nothing there") {}
  SECTION("no number") { root.Group("0::/\n").File("/sys/fs/cgroup/cpu.max", "lots 100000\n"); }
  SECTION("half a file") { root.Group("0::/\n").File("/sys/fs/cgroup/cpu.max", "100000"); }
  SECTION("period 0") { root.Group("0::/\n").File("/sys/fs/cgroup/cpu.max", "100000 0\n"); }
  SECTION("no groups") { root.Group("rubbish\n::\n7:cpu\n"); }
  CHECK_FALSE(root.Limit());
}

TEST_CASE("Case 21: 4 of 40 CPUs make 4 threads") { CHECK(ThreadsWithin(4.0, 40) == 4); }

TEST_CASE("threads are the lesser of limit and affinity, rounded down, and at least one") {
  CHECK(ThreadsWithin(std::nullopt, 8) == 8);
  CHECK(ThreadsWithin(16.0, 8) == 8);
  CHECK(ThreadsWithin(2.9, 8) == 2);
  CHECK(ThreadsWithin(0.25, 8) == 1);
  CHECK(ThreadsWithin(std::nullopt, 0) == 1);
}

TEST_CASE("this process may be scheduled somewhere") { CHECK(SchedulableCpus() >= 1); }

}  // namespace
}  // namespace unbraid::worker
