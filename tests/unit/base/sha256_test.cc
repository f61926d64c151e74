#include "services/common/base/sha256.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace unbraid::base {
namespace {

// FIPS 180-4.
constexpr char kOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST_CASE("gives the standard's digests") {
  CHECK(ToHex(Sha256Of("abc")) == kOfAbc);
  CHECK(ToHex(Sha256Of("")) == kOfNothing);
}

TEST_CASE("does not depend on how the bytes are cut") {
  Sha256 hash;
  hash.Update("a");
  hash.Update("");
  Sha256 moved = std::move(hash);
  moved.Update("bc");
  CHECK(ToHex(moved.Finish()) == kOfAbc);
}

TEST_CASE("hashes files of any size") {
  const test_support::TempDir folder;
  const std::string path = folder.path() + "/file";
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1} << 16, (size_t{3} << 16) + 5}) {
    const std::string content(size, 'z');
    std::ofstream(path, std::ios::binary) << content;
    const auto digest = Sha256OfFile(path);
    REQUIRE(digest.ok());
    CHECK(ToHex(*digest) == ToHex(Sha256Of(content)));
  }
}

TEST_CASE("names a file that it cannot read") {
  const test_support::TempDir folder;
  const auto missing = Sha256OfFile(folder.path() + "/none");
  CHECK(missing.status().code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(missing.status().message()), Catch::Contains("/none"));
  CHECK_FALSE(Sha256OfFile(folder.path()).ok());  // a folder
}

}  // namespace
}  // namespace unbraid::base
