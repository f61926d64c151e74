#include "services/common/store/disk_watch.h"

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "services/common/store/files.h"
#include "tests/support/temp_dir.h"

namespace unbraid::store {
namespace {

TEST_CASE("a disk with less room than the minimum is nearly full") {
  const test_support::TempDir folder;
  CHECK(DiskWatch(folder.path(), 0).state().ok());
  const DiskWatch full(folder.path(), int64_t{1} << 60);
  CHECK(absl::IsUnavailable(full.state()));
  CHECK_THAT(std::string(full.state().message()), Catch::Contains("the disk is nearly full"));
}

TEST_CASE("a disk that cannot be looked at is no good one, until it can be") {
  const test_support::TempDir folder;
  const std::string path = folder.path() + "/later";
  DiskWatch watch(path, 0);
  CHECK(absl::IsUnavailable(watch.state()));
  CHECK_THAT(std::string(watch.state().message()), !Catch::Contains(path));
  REQUIRE(MakeFolders(path).ok());
  watch.Look();
  CHECK(watch.state().ok());
}

TEST_CASE("tells when a file last changed") {
  const test_support::TempDir folder;
  const std::string path = folder.path() + "/file";
  CHECK(absl::IsNotFound(ModifiedAt(path).status()));
  REQUIRE(WriteFileDurably(path, "x").ok());
  CHECK(absl::AbsDuration(absl::Now() - *ModifiedAt(path)) < absl::Minutes(1));
}

}  // namespace
}  // namespace unbraid::store
