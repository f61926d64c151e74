#include "services/common/store/object_folder.h"

#include <sys/stat.h>

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

TEST_CASE_METHOD(Fixture, "an owner's other groups go as a whole, and nobody else's") {
  const std::string kept = Put("7.1", "abc");
  const std::string gone = Put("8.1", "def");
  Put("8.1", "ghi");
  const std::string other = *folder.Put("assembler-2", "8.1", "jkl");
  REQUIRE(folder.RemoveOthers("assembler-1", {"7.1", "9.1"}, absl::InfiniteFuture()).ok());
  CHECK(Has(kept, "abc"));
  CHECK_FALSE(fs::exists(folder.path() + "/assembler-1/8.1"));
  CHECK(Has(other, "jkl"));
  CHECK(folder.RemoveOthers("assembler-3", {}, absl::InfiniteFuture()).ok());
  CHECK(Has(Put("8.1", "mno"), "mno"));
}

TEST_CASE_METHOD(Fixture, "a group in which something happens is left alone") {
  const std::string uri = Put("7.1", "abc");
  const auto changed = ModifiedAt(folder.path() + "/assembler-1/7.1");
  REQUIRE(changed.ok());
  REQUIRE(folder.RemoveOthers("assembler-1", {}, *changed).ok());
  CHECK(Has(uri, "abc"));
  REQUIRE(folder.RemoveOthers("assembler-1", {}, *changed + absl::Seconds(1)).ok());
  CHECK_FALSE(Has(uri, "abc"));
}

TEST_CASE_METHOD(Fixture, "a group can be removed while others remove from it and write to it") {
  std::vector<std::string> uris;
  for (int i = 0; i < 300; ++i) uris.push_back(Put("7.1", "abc"));
  std::thread removing([&] {
    for (const std::string& uri : uris) folder.Remove(uri);
  });
  std::vector<std::string> written;
  std::thread writing([&] {
    for (int i = 0; i < 300; ++i)
      written.push_back(folder.Put("assembler-1", "7.1", "x").value_or(""));
  });
  for (int i = 0; i < 20; ++i) {
    (void)folder.RemoveOthers("assembler-1", {}, absl::InfiniteFuture());
  }
  removing.join();
  writing.join();
  REQUIRE(folder.RemoveOthers("assembler-1", {}, absl::InfiniteFuture()).ok());
  CHECK_FALSE(fs::exists(folder.path() + "/assembler-1/7.1"));
}

TEST_CASE_METHOD(Fixture, "the group may read and write, whatever the umask") {
  const mode_t before = umask(077);
  const std::string uri = Put("7.1", "abc");
  umask(before);
  const auto mode = [this](const std::string& rest) {
    return fs::status(folder.path() + "/" + rest).permissions();
  };
  CHECK(mode(uri.substr(uri.find(':') + 1)) == fs::perms(0660));
  CHECK(mode("assembler-1/7.1") == fs::perms(02770));
  CHECK(mode("assembler-1") == fs::perms(02770));
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
