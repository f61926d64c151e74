#ifndef UNBRAID_SERVICES_COMMON_STORE_DATABASE_H_
#define UNBRAID_SERVICES_COMMON_STORE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace unbraid::store {

// A prepared statement. Use: Bind, then Step until it says false, or Run. Not thread-safe.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Binds the next parameter, from the first; the order of calls is the order of the question
  // marks. Begin anew with Reset().
  Statement& Bind(int64_t value);
  Statement& Bind(double value);
  Statement& Bind(absl::string_view text);
  Statement& BindBlob(absl::string_view bytes);

  // True: a row can be read. False: the end. Errors: RESOURCE_EXHAUSTED (DISK_FULL; without a
  // reason when memory is short, or somebody else keeps the file locked), DATA_LOSS, INTERNAL.
  absl::StatusOr<bool> Step();

  // Steps to the end, for statements that yield no rows, and resets.
  absl::Status Run();

  // Columns of the current row, from 0.
  int64_t Int(int column) const;
  double Double(int column) const;
  std::string Text(int column) const;  // also blobs

  // Forgets bindings and rows.
  void Reset();

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

  sqlite3_stmt* handle_;
  int bound_ = 0;
  absl::Status bind_error_;
};

// One SQLite file, opened for durability: WAL, synchronous FULL (a committed transaction survives a
// power cut), foreign keys on, a busy timeout. Not thread-safe: its owner guards it with a mutex or
// keeps it on one thread.
class Database {
 public:
  // Opens or creates the file, checks its integrity, and brings its schema up to date:
  // `migrations[i]` leads from user_version i to i + 1, each in a transaction. DATA_LOSS, with the
  // sentence of RefuseDamaged, when the file is damaged, FAILED_PRECONDITION when it was written by
  // a newer version. DATA_LOSS also when there is no schema yet although `files_folder`, of whose
  // files it keeps the records, is not empty: then it was lost, and nobody may take the files for
  // orphans. No schema is made then, so that the next one who opens it is told the same.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const std::vector<std::string>& migrations,
                                                        const std::string& files_folder = "");
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Prepares a statement. INTERNAL when the text is wrong.
  absl::StatusOr<Statement> Prepare(absl::string_view sql);

  // Runs one or more statements without parameters or rows.
  absl::Status Execute(const std::string& sql);

  // Number of rows that the last INSERT, UPDATE or DELETE changed.
  int64_t changes() const;

  // Runs `work` () -> absl::Status in one transaction: committed when it returns OK, rolled back
  // otherwise.
  template <typename Work>
  absl::Status Transaction(Work work) {
    absl::Status status = Execute("BEGIN IMMEDIATE");
    if (!status.ok()) return status;
    status = work();
    if (status.ok()) status = Execute("COMMIT");
    if (!status.ok()) (void)Execute("ROLLBACK");  // The first error is the one that counts.
    return status;
  }

 private:
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  absl::StatusOr<int64_t> Version();
  absl::Status CheckNotLost(const std::string& files_folder);
  absl::Status Migrate(const std::vector<std::string>& migrations);
  absl::Status CheckIntegrity();

  sqlite3* const handle_;
  const std::string path_;
};

// A DATA_LOSS as an operator is to read it who cannot start a service because of it: with the file
// and what can be done. Any other status as it is.
absl::Status RefuseDamaged(const absl::Status& status, const std::string& path);

}  // namespace unbraid::store

#endif  // UNBRAID_SERVICES_COMMON_STORE_DATABASE_H_
