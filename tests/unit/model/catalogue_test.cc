#include "services/common/model/catalogue.h"

#include <catch2/catch.hpp>

#include "services/common/base/status.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/model/package_folder.h"

namespace unbraid::model {
namespace {

using Catch::Contains;

struct Fixture {
  Fixture() {
    for (const char* name : {"b", "c", "a"}) WritePackage(folder.path(), name, RightJson(name));
    std::filesystem::create_directory(folder.path() + "/no-package");
    std::ofstream(folder.path() + "/README") << "a file";
  }
  std::string Names(const std::string& default_name) const {
    const auto catalogue = Catalogue::Load(folder.path(), default_name);
    INFO(catalogue.status());
    REQUIRE(catalogue.ok());
    std::string names;
    for (const Package& package : catalogue->packages()) names += package.name;
    return names;
  }

  test_support::TempDir folder;
};

TEST_CASE("lists the default first, then by name") {
  const Fixture fixture;
  CHECK(fixture.Names("b") == "bac");
  CHECK(fixture.Names("a") == "abc");
  CHECK(fixture.Names("not there") == "abc");
}

TEST_CASE("finds models by name, no name means the default") {
  const Fixture fixture;
  const auto catalogue = Catalogue::Load(fixture.folder.path(), "b");
  REQUIRE(catalogue.ok());
  CHECK((*catalogue->Find("c"))->name == "c");
  CHECK((*catalogue->Find(""))->name == "b");
  CHECK(catalogue->default_package().name == "b");
  const absl::Status unknown = catalogue->Find("d").status();
  CHECK(unknown.code() == absl::StatusCode::kInvalidArgument);
  CHECK(base::ReasonOf(unknown) == "UNKNOWN_MODEL");
  CHECK_THAT(std::string(unknown.message()), Contains("\"d\"") && Contains("b, a, c"));
}

TEST_CASE("a malformed package is an error, not left out in silence") {
  const Fixture fixture;
  std::ofstream(fixture.folder.path() + "/a/model.json") << "{";
  const auto catalogue = Catalogue::Load(fixture.folder.path());
  CHECK(catalogue.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(catalogue.status().message()), Contains("/a/model.json"));
}

TEST_CASE("what a builder was about to put in place or to remove is no package") {
  const Fixture fixture;
  WritePackage(fixture.folder.path(), ".a.x1b2.old", RightJson("a"));
  std::ofstream(fixture.folder.path() + "/.b.half") << "a file";
  CHECK(fixture.Names("a") == "abc");
}

TEST_CASE("says what to do when there is no model") {
  const test_support::TempDir empty;
  for (const std::string& folder : {empty.path(), empty.path() + "/none"}) {
    const auto catalogue = Catalogue::Load(folder);
    CHECK(catalogue.status().code() == absl::StatusCode::kNotFound);
    CHECK_THAT(std::string(catalogue.status().message()), Contains("models/build.sh"));
  }
}

}  // namespace
}  // namespace unbraid::model
