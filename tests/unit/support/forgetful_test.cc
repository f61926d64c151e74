// That the disk forgets: without this, no test of power cuts could fail.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "services/common/store/database.h"
#include "services/common/store/files.h"
#include "tests/support/forgetful_scope.h"

namespace unbraid::test_support {
namespace {

namespace fs = std::filesystem;

void Write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

void Sync(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  REQUIRE(fsync(descriptor) == 0);
  close(descriptor);
}

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class ForgetfulTest {
 protected:
  // A file that is there for good.
  void Keep(const std::string& name, const std::string& content) {
    Write(At(name), content);
    Sync(At(name));
    Sync(disk_.folder());
  }

  std::string At(const std::string& name) const { return disk_.folder() + "/" + name; }

  const ForgetfulScope disk_;
};

TEST_CASE_METHOD(ForgetfulTest, "a file that was never synced is gone") {
  Write(At("a"), "content");
  CHECK(fs::is_empty(disk_.AfterPowerCut()));
}

TEST_CASE_METHOD(ForgetfulTest, "a synced file without its folder is gone as well") {
  Write(At("a"), "content");
  Sync(At("a"));
  CHECK(fs::is_empty(disk_.AfterPowerCut()));
}

TEST_CASE_METHOD(ForgetfulTest, "a synced folder holds empty files where their content was not") {
  Write(At("a"), "content");
  Sync(disk_.folder());
  CHECK(Read(disk_.AfterPowerCut() + "/a").empty());
}

TEST_CASE_METHOD(ForgetfulTest, "what was synced stays, as it was at that moment") {
  Keep("a", "content");
  Write(At("a"), "longer content");
  CHECK(Read(disk_.AfterPowerCut() + "/a") == "content");
  Sync(At("a"));
  CHECK(Read(disk_.AfterPowerCut() + "/a") == "longer content");
  REQUIRE(truncate(At("a").c_str(), 0) == 0);
  CHECK(Read(disk_.AfterPowerCut() + "/a") == "longer content");
}

TEST_CASE_METHOD(ForgetfulTest,
                 "a file that was renamed has its old name until the folder is synced") {
  Keep("old", "content");
  fs::rename(At("old"), At("new"));
  CHECK(Read(disk_.AfterPowerCut() + "/old") == "content");
  CHECK_FALSE(fs::exists(disk_.AfterPowerCut() + "/new"));
  Sync(disk_.folder());
  CHECK(Read(disk_.AfterPowerCut() + "/new") == "content");
  CHECK_FALSE(fs::exists(disk_.AfterPowerCut() + "/old"));
}

TEST_CASE_METHOD(ForgetfulTest, "a file that was renamed over comes back") {
  Keep("a", "old");
  Write(At("b"), "new");
  Sync(At("b"));
  fs::rename(At("b"), At("a"));
  CHECK(Read(disk_.AfterPowerCut() + "/a") == "old");
  Sync(disk_.folder());
  CHECK(Read(disk_.AfterPowerCut() + "/a") == "new");
}

TEST_CASE_METHOD(ForgetfulTest,
                 "a file that went from one folder to another is where it was synced") {
  fs::create_directory(At("from"));
  fs::create_directory(At("to"));
  Write(At("from/a"), "content");
  for (const char* path : {"from/a", "from", "to", "."}) Sync(At(path));
  fs::rename(At("from/a"), At("to/a"));
  Sync(At("to"));
  CHECK(Read(disk_.AfterPowerCut() + "/to/a") == "content");
  CHECK(Read(disk_.AfterPowerCut() + "/from/a") == "content");
  Sync(At("from"));
  CHECK(fs::is_empty(disk_.AfterPowerCut() + "/from"));
}

TEST_CASE_METHOD(ForgetfulTest, "what was removed comes back, also where another took its place") {
  Keep("a", "first");
  fs::remove(At("a"));
  Write(At("a"), "second");
  Sync(At("a"));
  CHECK(Read(disk_.AfterPowerCut() + "/a") == "first");
  Sync(disk_.folder());
  CHECK(Read(disk_.AfterPowerCut() + "/a") == "second");
}

TEST_CASE_METHOD(ForgetfulTest, "a folder is gone with all in it unless its parent was synced") {
  fs::create_directories(At("a/b"));
  Write(At("a/b/file"), "content");
  for (const char* path : {"a/b/file", "a/b"}) Sync(At(path));
  CHECK(fs::is_empty(disk_.AfterPowerCut()));
  Sync(disk_.folder());
  CHECK(fs::is_empty(disk_.AfterPowerCut() + "/a"));
  Sync(At("a"));
  CHECK(Read(disk_.AfterPowerCut() + "/a/b/file") == "content");
}

TEST_CASE_METHOD(ForgetfulTest, "what a cut leaves is there for good") {
  fs::create_directory(At("a"));
  Write(At("a/file"), "content");
  for (const char* path : {"a/file", "a", "."}) Sync(At(path));
  Write(At("a/lost"), "content");
  disk_.Cut();
  CHECK_FALSE(fs::exists(At("a/lost")));
  Write(At("a/file"), "changed");
  disk_.Cut();
  CHECK(Read(At("a/file")) == "content");
}

TEST_CASE_METHOD(ForgetfulTest, "files elsewhere are nobody's business") {
  const TempDir elsewhere;
  Write(elsewhere.path() + "/a", "content");
  Sync(elsewhere.path() + "/a");
  Sync(elsewhere.path());
  CHECK(fs::is_empty(disk_.AfterPowerCut()));
}

TEST_CASE_METHOD(ForgetfulTest,
                 "a transaction that was committed survives, one that was not does not") {
  auto database = store::Database::Open(At("db"), {"CREATE TABLE things (name TEXT)"});
  REQUIRE(database.ok());
  REQUIRE((*database)->Execute("INSERT INTO things VALUES ('kept')").ok());
  REQUIRE((*database)->Execute("BEGIN; INSERT INTO things VALUES ('lost')").ok());
  const std::string left = disk_.AfterPowerCut();
  auto found = store::Database::Open(left + "/db", {"no statement of SQL"});
  INFO(found.status());
  REQUIRE(found.ok());
  auto names = (*found)->Prepare("SELECT group_concat(name) FROM things");
  REQUIRE(names.ok());
  REQUIRE(*names->Step());
  CHECK(names->Text(0) == "kept");
}

}  // namespace
}  // namespace unbraid::test_support
