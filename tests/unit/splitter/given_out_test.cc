#include "services/splitter/given_out.h"

#include <catch2/catch.hpp>

#include "services/common/store/files.h"
#include "tests/support/temp_dir.h"

namespace unbraid::splitter {
namespace {

TEST_CASE("a note of what was given out is taken once") {
  const test_support::TempDir folder;
  REQUIRE(LeaveGivenOut(folder.path(), {{base::SeparationId(7), 2, {true, false, true}},
                                        {base::SeparationId(8), 1, {}}})
              .ok());
  const auto taken = TakeGivenOut(folder.path());
  REQUIRE(taken.ok());
  REQUIRE(taken->size() == 1);  // there is nothing to say of one without chunks
  CHECK(taken->front().id == base::SeparationId(7));
  CHECK(taken->front().attempt == 2);
  CHECK(taken->front().chunks == std::vector<bool>{true, false, true});
  CHECK(TakeGivenOut(folder.path())->empty());
}

TEST_CASE("without a note, or with one that cannot be read, everything is sent again") {
  const test_support::TempDir folder;
  CHECK(TakeGivenOut(folder.path())->empty());
  REQUIRE(store::WriteFileDurably(folder.path() + "/given-out", "no note\n5 x 1\n\n").ok());
  CHECK(TakeGivenOut(folder.path())->empty());
}

}  // namespace
}  // namespace unbraid::splitter
