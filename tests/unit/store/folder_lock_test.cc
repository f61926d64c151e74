#include "services/common/store/folder_lock.h"

#include <catch2/catch.hpp>
#include <optional>

#include "tests/support/temp_dir.h"

namespace unbraid::store {
namespace {

TEST_CASE("a folder has one owner at a time") {
  const test_support::TempDir parent;
  const std::string folder = parent.path() + "/data";
  auto lock = FolderLock::Take(folder);
  INFO(lock.status());
  REQUIRE(lock.ok());
  std::optional<FolderLock> held(*std::move(lock));
  const absl::Status other = FolderLock::Take(folder).status();
  CHECK(absl::IsFailedPrecondition(other));
  CHECK_THAT(std::string(other.message()), Catch::Contains(folder));
  held.reset();
  CHECK(FolderLock::Take(folder).ok());
}

}  // namespace
}  // namespace unbraid::store
