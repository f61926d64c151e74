#include "services/common/store/files.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "services/common/base/status.h"
#include "tests/support/temp_dir.h"

namespace unbraid::store {
namespace {

using Catch::Contains;
namespace fs = std::filesystem;

TEST_CASE("writes a file whole, and leaves nothing beside it") {
  const test_support::TempDir folder;
  const std::string path = folder.path() + "/file";
  for (const std::string& content :
       {std::string("first, longer"), std::string("second"), std::string()}) {
    REQUIRE(WriteFileDurably(path, content).ok());
    CHECK(*ReadSmallFile(path) == content);
    CHECK(*FileSize(path) == static_cast<int64_t>(content.size()));
  }
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a write that fails leaves the old file and no other") {
  const test_support::TempDir folder;
  const std::string path = folder.path() + "/taken";
  REQUIRE(MakeFolders(path + "/inside").ok());
  CHECK_FALSE(WriteFileDurably(path, "x").ok());  // a folder with something in it is there
  CHECK(fs::is_directory(path));
  CHECK_FALSE(fs::exists(path + ".tmp"));
}

TEST_CASE("errors name the path and say what was tried") {
  const test_support::TempDir folder;
  const std::string missing = folder.path() + "/none/file";
  for (const absl::Status& status :
       {WriteFileDurably(missing, "x"), ReadSmallFile(missing).status(), FileSize(missing).status(),
        File::Open(missing, File::Mode::kRead).status(), SyncFolder(folder.path() + "/none"),
        RenameDurably(missing, folder.path() + "/x"), FreeBytes(missing).status()}) {
    CHECK(status.code() == absl::StatusCode::kNotFound);
    CHECK_THAT(std::string(status.message()), Contains(folder.path()));
  }
}

TEST_CASE("writing to a full disk has its own reason") {
  auto full = File::Open("/dev/full", File::Mode::kCreateOrOpen);
  REQUIRE(full.ok());
  const absl::Status status = full->WriteAt(0, "x");
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(base::ReasonOf(status) == "DISK_FULL");
}

TEST_CASE("makes and removes folders, both may be repeated") {
  const test_support::TempDir folder;
  const std::string deep = folder.path() + "/a/b/c";
  CHECK(MakeFolders(deep).ok());
  CHECK(MakeFolders(deep).ok());
  REQUIRE(WriteFileDurably(deep + "/file", "x").ok());
  CHECK(RemoveAll(folder.path() + "/a").ok());
  CHECK(RemoveAll(folder.path() + "/a").ok());
  CHECK_FALSE(fs::exists(folder.path() + "/a"));
}

TEST_CASE("renames over an existing file") {
  const test_support::TempDir folder;
  REQUIRE(WriteFileDurably(folder.path() + "/from", "new").ok());
  REQUIRE(WriteFileDurably(folder.path() + "/to", "old").ok());
  REQUIRE(RenameDurably(folder.path() + "/from", folder.path() + "/to").ok());
  CHECK(*ReadSmallFile(folder.path() + "/to") == "new");
  CHECK_FALSE(fs::exists(folder.path() + "/from"));
}

TEST_CASE("reads and writes at any position") {
  const test_support::TempDir folder;
  auto file = File::Open(folder.path() + "/file", File::Mode::kCreateEmpty);
  REQUIRE(file.ok());
  REQUIRE(file->WriteAt(3, "def").ok());  // leaves a hole
  REQUIRE(file->WriteAt(0, "abc").ok());
  CHECK(*file->Size() == 6);
  char buffer[16];
  CHECK(*file->ReadAt(1, buffer, 4) == 4);
  CHECK(std::string(buffer, 4) == "bcde");
  CHECK(*file->ReadAt(4, buffer, 16) == 2);    // fewer at the end
  CHECK(*file->ReadAt(100, buffer, 16) == 0);  // nothing behind it
  REQUIRE(file->Truncate(2).ok());
  CHECK(*file->Size() == 2);
  CHECK(file->Sync().ok());
  CHECK(file->Close().ok());
  CHECK(file->Close().ok());
}

TEST_CASE("opens an existing file without or with its content") {
  const test_support::TempDir folder;
  const std::string path = folder.path() + "/file";
  REQUIRE(WriteFileDurably(path, "content").ok());
  CHECK(*File::Open(path, File::Mode::kCreateOrOpen)->Size() == 7);
  CHECK(*File::Open(path, File::Mode::kCreateEmpty)->Size() == 0);
}

TEST_CASE("a file that was moved from is closed, its follower goes on") {
  const test_support::TempDir folder;
  auto first = File::Open(folder.path() + "/one", File::Mode::kCreateEmpty);
  auto second = File::Open(folder.path() + "/two", File::Mode::kCreateEmpty);
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  File file = *std::move(first);
  file = *std::move(second);
  CHECK(file.path() == folder.path() + "/two");
  CHECK(file.WriteAt(0, "x").ok());
  CHECK(*FileSize(folder.path() + "/two") == 1);
}

TEST_CASE("tells how much room there is") { CHECK(*FreeBytes("/tmp") > 0); }

TEST_CASE("a file that starts later hides what stands before") {
  const test_support::TempDir folder;
  const std::string path = folder.path() + "/file";
  REQUIRE(WriteFileDurably(path, "0123456789").ok());
  File file = File::Open(path, File::Mode::kRead).value();
  file.StartAt(4);
  const File moved = std::move(file);
  CHECK(moved.Size().value() == 6);
  std::string bytes(10, ' ');
  CHECK(moved.ReadAt(1, bytes.data(), 10).value() == 5);
  CHECK(bytes.substr(0, 5) == "56789");
}

}  // namespace
}  // namespace unbraid::store
