#include "services/common/store/database.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "services/common/base/status.h"
#include "tests/support/temp_dir.h"

namespace unbraid::store {
namespace {

using Catch::Contains;

const std::vector<std::string> kSchema = {
    "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL, size REAL, data BLOB)",
    "ALTER TABLE things ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",
};

struct Fixture {
  std::unique_ptr<Database> Open(const std::vector<std::string>& schema = kSchema) {
    auto database = Database::Open(path, schema);
    INFO(database.status());
    REQUIRE(database.ok());
    return *std::move(database);
  }

  test_support::TempDir folder;
  std::string path = folder.path() + "/test.db";
};

int64_t Count(Database* database) {
  auto statement = database->Prepare("SELECT COUNT(*) FROM things");
  REQUIRE(statement.ok());
  REQUIRE(*statement->Step());
  return statement->Int(0);
}

absl::Status Insert(Database* database, const std::string& name) {
  UNBRAID_ASSIGN_OR_RETURN(Statement insert,
                           database->Prepare("INSERT INTO things (name) VALUES (?)"));
  return insert.Bind(name).Run();
}

TEST_CASE("gives back what was bound, of every type") {
  Fixture fixture;
  auto database = fixture.Open();
  const std::string bytes("a\0b\xff", 4);
  auto insert = database->Prepare("INSERT INTO things (id, name, size, data) VALUES (?, ?, ?, ?)");
  REQUIRE(insert.ok());
  insert->Bind(int64_t{1} << 62).Bind("絆 'quoted'; --").Bind(0.1).BindBlob(bytes);
  REQUIRE(insert->Run().ok());
  CHECK(database->changes() == 1);
  // The statement can be used again, with fresh bindings.
  insert->Bind(int64_t{-1}).Bind("").Bind(-2.5).BindBlob("");
  REQUIRE(insert->Run().ok());
  auto select = database->Prepare("SELECT id, name, size, data FROM things ORDER BY id DESC");
  REQUIRE(select.ok());
  REQUIRE(*select->Step());
  CHECK(select->Int(0) == int64_t{1} << 62);
  CHECK(select->Text(1) == "絆 'quoted'; --");
  CHECK(select->Double(2) == 0.1);
  CHECK(select->Text(3) == bytes);
  REQUIRE(*select->Step());
  CHECK(select->Text(1).empty());
  CHECK(select->Text(3).empty());
  CHECK_FALSE(*select->Step());
}

TEST_CASE("what is stored is there after the file is opened again") {
  Fixture fixture;
  REQUIRE(Insert(fixture.Open().get(), "kept").ok());
  CHECK(Count(fixture.Open().get()) == 1);
}

TEST_CASE("a transaction happens whole or not at all") {
  Fixture fixture;
  auto database = fixture.Open();
  const absl::Status failed = database->Transaction([&]() -> absl::Status {
    UNBRAID_RETURN_IF_ERROR(Insert(database.get(), "one"));
    return absl::AbortedError("changed my mind");
  });
  CHECK(failed.message() == "changed my mind");
  CHECK(Count(database.get()) == 0);
  CHECK(database->Transaction([&] { return Insert(database.get(), "one"); }).ok());
  CHECK(Count(database.get()) == 1);
}

TEST_CASE("a violated rule is an error that shows the statement, and changes nothing") {
  Fixture fixture;
  auto database = fixture.Open();
  auto insert = database->Prepare("INSERT INTO things (name) VALUES (?)");
  REQUIRE(insert.ok());
  const absl::Status status = insert->Run();  // NULL
  CHECK(status.code() == absl::StatusCode::kInternal);
  CHECK_THAT(std::string(status.message()), Contains("INSERT INTO things") && Contains("NOT NULL"));
  CHECK(Count(database.get()) == 0);
  CHECK(database->Prepare("SELEKT 1").status().code() == absl::StatusCode::kInternal);
}

TEST_CASE("an unknown parameter is an error when the statement runs") {
  Fixture fixture;
  auto database = fixture.Open();
  auto insert = database->Prepare("INSERT INTO things (name) VALUES (?)");
  REQUIRE(insert.ok());
  CHECK_FALSE(insert->Bind("a").Bind("one too many").Run().ok());
  CHECK(insert->Bind("a").Run().ok());  // forgotten after Run
}

TEST_CASE("brings an old file up to date, keeping what is in it") {
  Fixture fixture;
  REQUIRE(Insert(fixture.Open({kSchema[0]}).get(), "old").ok());
  auto database = fixture.Open();
  auto select = database->Prepare("SELECT name, colour FROM things");
  REQUIRE(select.ok());
  REQUIRE(*select->Step());
  CHECK(select->Text(0) == "old");
  CHECK(select->Text(1) == "red");
}

TEST_CASE("a migration that fails leaves the file as it was") {
  Fixture fixture;
  REQUIRE(Insert(fixture.Open({kSchema[0]}).get(), "old").ok());
  const auto broken = Database::Open(
      fixture.path, {kSchema[0], "CREATE TABLE other (id INTEGER); SELECT no_such_function()"});
  CHECK_FALSE(broken.ok());
  CHECK(Count(fixture.Open().get()) == 1);  // the right second step still applies
}

TEST_CASE("refuses a file of a newer version") {
  Fixture fixture;
  fixture.Open();
  const auto older = Database::Open(fixture.path, {kSchema[0]});
  CHECK(older.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(older.status().message()), Contains("newer version"));
}

TEST_CASE("tells a damaged file from a missing folder") {
  Fixture fixture;
  fixture.Open();
  std::ofstream(fixture.path, std::ios::binary)
      << "this is no database, " << std::string(5000, 'x');
  const auto damaged = Database::Open(fixture.path, kSchema);
  CHECK(damaged.status().code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(damaged.status().message()),
             Contains("the database " + fixture.path + " is damaged (") && Contains("Restore"));
  CHECK_FALSE(Database::Open(fixture.folder.path() + "/no/such/folder/x.db", kSchema).ok());
}

TEST_CASE("a committed transaction is synced: write-ahead log, synchronous FULL") {
  Fixture fixture;
  const auto database = fixture.Open();
  auto mode = database->Prepare("PRAGMA journal_mode");
  REQUIRE(*mode->Step());
  CHECK(mode->Text(0) == "wal");
  auto synchronous = database->Prepare("PRAGMA synchronous");
  REQUIRE(*synchronous->Step());
  CHECK(synchronous->Int(0) == 2);
}

TEST_CASE("a damaged page is found at the start, and the sentence says which file and what to do") {
  Fixture fixture;
  constexpr int kPageBytes = 4096;
  {
    const auto database = fixture.Open();
    for (int i = 0; i < 100; ++i) REQUIRE(Insert(database.get(), std::string(1000, 'x')).ok());
  }
  SECTION("overwritten") {
    std::fstream file(fixture.path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(5 * kPageBytes) << std::string(kPageBytes, '\xff');
  }
  SECTION("cut off") { std::filesystem::resize_file(fixture.path, 10 * kPageBytes); }
  const auto damaged = Database::Open(fixture.path, kSchema);
  REQUIRE(damaged.status().code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(damaged.status().message()),
             Contains("the database " + fixture.path + " is damaged (") &&
                 Contains("Restore the file from a backup, or move the whole data folder away"));
}

TEST_CASE("a database that is new beside files has been lost, one that knows them has not") {
  Fixture fixture;
  const std::string files = fixture.folder.path() + "/files";
  const auto open = [&] { return Database::Open(fixture.path, kSchema, files).status(); };
  CHECK(open().ok());  // there is no such folder
  std::filesystem::remove(fixture.path);
  std::filesystem::create_directory(files);
  CHECK(open().ok());
  std::ofstream(files + "/file") << "x";
  CHECK(open().ok());
  std::filesystem::resize_file(fixture.path, 0);
  // A supervisor starts it again and again.
  for (int start = 0; start < 3; ++start) {
    const absl::Status lost = open();
    CHECK(lost.code() == absl::StatusCode::kDataLoss);
    CHECK_THAT(std::string(lost.message()),
               Contains(fixture.path) && Contains(files) && Contains("Restore the database"));
  }
}

TEST_CASE("a full disk has its own reason") {
  Fixture fixture;
  auto database = fixture.Open();
  REQUIRE(database->Execute("PRAGMA max_page_count = 4").ok());
  const absl::Status status = Insert(database.get(), std::string(1 << 20, 'x'));
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(base::ReasonOf(status) == "DISK_FULL");
}

}  // namespace
}  // namespace unbraid::store
