#include "services/common/store/object_folder.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>
#include <vector>

#include "services/common/store/files.h"
#include "tests/support/temp_dir.h"

namespace unbraid::store {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  std::string Put(const std::string& group, const std::string& bytes) const {
    const auto uri = folder.Put("assembler-1", group, bytes);
    REQUIRE(uri.ok());
    return *uri;
  }
  bool Has(const std::string& uri, const std::string& bytes) const {
    std::string read;
    return folder.Read(uri, static_cast<int64_t>(bytes.size()), &read).ok() && read == bytes;
  }

  test_support::TempDir dir;
  ObjectFolder folder = *ObjectFolder::Open(dir.path() + "/deep/objects");
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an object is what was put, under a name of its own") {
  const std::string first = Put("7.1", "abc");
  const std::string second = Put("7.1", "abc");
  CHECK(first != second);
  CHECK(first.rfind("folder:assembler-1/7.1/", 0) == 0);
  CHECK(Has(first, "abc"));
  CHECK(Has(Put("7.1", ""), ""));
  folder.Remove(first);
  folder.Remove(first);
  std::string bytes;
  CHECK(absl::IsNotFound(folder.Read(first, 3, &bytes)));
  CHECK(Has(second, "abc"));
}

TEST_CASE_METHOD(Fixture, "an object of another size than its message says is damaged") {
  const std::string uri = Put("7.1", "abc");
  std::string bytes;
  CHECK(absl::IsDataLoss(folder.Read(uri, 2, &bytes)));
  CHECK(absl::IsDataLoss(folder.Read(uri, 4, &bytes)));
  CHECK(absl::IsInvalidArgument(folder.Read(uri, -1, &bytes)));
  CHECK(absl::IsInvalidArgument(folder.Read(uri, ObjectFolder::kMostBytes + 1, &bytes)));
}

TEST_CASE_METHOD(Fixture, "what a URI does not give is never read, and never removed") {
  const std::string secret = dir.path() + "/secret";
  REQUIRE(WriteFileDurably(secret, "abc").ok());
  REQUIRE(WriteFileDurably(folder.path() + "/two", "abc").ok());
  Put("7.1", "x");
  const std::string uri = GENERATE_COPY(
      std::string(), std::string("folder:"), "folder:" + secret, std::string("folder:../../secret"),
      std::string("folder:assembler-1/../../../secret"), std::string("folder:a/../two"),
      std::string("folder:assembler-1/7.1/../../two"), std::string("folder:two"),
      std::string("folder://two"), std::string("folder:assembler-1/7.1/."),
      std::string("s3://assembler-1/7.1/x"), std::string("assembler-1/7.1/x"),
      "folder:a/b/" + std::string(201, 'c'), std::string("folder:a/b/c\0d", 14));
  std::string bytes;
  CHECK(absl::IsInvalidArgument(folder.Read(uri, 3, &bytes)));
  folder.Remove(uri);
  CHECK(fs::exists(secret));
  CHECK(fs::exists(folder.path() + "/two"));
}

TEST_CASE_METHOD(Fixture, "a group that is no word, and an object that is too large, are refused") {
  CHECK(absl::IsInvalidArgument(folder.Put("assembler/1", "7.1", "x").status()));
  CHECK(absl::IsInvalidArgument(folder.Put("..", "7.1", "x").status()));
  CHECK(absl::IsInvalidArgument(folder.Put("", "7.1", "x").status()));
  CHECK(absl::IsInvalidArgument(folder.Put("assembler-1", ".7", "x").status()));
  const std::string large(ObjectFolder::kMostBytes + 1, 'x');
  CHECK(absl::IsInvalidArgument(folder.Put("assembler-1", "7.1", large).status()));
  CHECK(folder.Put("assembler-1", "7.1", large.substr(1)).ok());
}

TEST_CASE_METHOD(Fixture, "a group goes as a whole, and can begin anew") {
  const std::string gone = Put("7.1", "abc");
  const std::string kept = Put("7.2", "def");
  REQUIRE(folder.RemoveGroup("assembler-1", "7.1").ok());
  REQUIRE(folder.RemoveGroup("assembler-1", "8.1").ok());
  CHECK_FALSE(Has(gone, "abc"));
  CHECK(Has(kept, "def"));
  CHECK(Has(Put("7.1", "ghi"), "ghi"));
}

TEST_CASE_METHOD(Fixture, "an owner's other groups go, and nobody else's") {
  const std::string kept = Put("7.1", "abc");
  const std::string gone = Put("8.1", "def");
  const std::string other = *folder.Put("assembler-2", "8.1", "ghi");
  REQUIRE(folder.RemoveOthers("assembler-1", {"7.1", "9.1"}).ok());
  CHECK(Has(kept, "abc"));
  CHECK_FALSE(Has(gone, "def"));
  CHECK(Has(other, "ghi"));
  CHECK(folder.RemoveOthers("assembler-3", {}).ok());
}

TEST_CASE_METHOD(Fixture, "where nothing can be written nothing is there") {
  REQUIRE(WriteFileDurably(folder.path() + "/assembler-1", "in the way").ok());
  CHECK_FALSE(folder.Put("assembler-1", "7.1", "abc").ok());
  REQUIRE(RemoveAll(folder.path()).ok());
  CHECK_FALSE(folder.Put("assembler-1", "7.1", "abc").ok());
}

TEST_CASE_METHOD(Fixture, "many write the first objects of a group at once") {
  std::vector<std::string> uris(4);
  std::vector<std::thread> threads;
  for (std::string& uri : uris) {
    threads.emplace_back(
        [this, &uri] { uri = folder.Put("assembler-1", "7.1", "abc").value_or(""); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& uri : uris) CHECK(Has(uri, "abc"));
}

TEST_CASE("no folder is no error") {
  const auto none = OpenObjectFolder("");
  REQUIRE(none.ok());
  CHECK_FALSE(none->has_value());
  CHECK_FALSE(OpenObjectFolder("/proc/objects").ok());
}

}  // namespace unbraid::store
