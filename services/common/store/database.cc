#include "services/common/store/database.h"

#include <sqlite3.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::store {
namespace {

constexpr int kBusyTimeoutMs = 5'000;

absl::Status ToStatus(sqlite3* handle, int code, absl::string_view doing) {
  const std::string message =
      absl::StrCat(doing, ": ", handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
  if (code == SQLITE_IOERR_NOMEM) return absl::ResourceExhaustedError(message);
  switch (code & 0xFF) {  // the primary code; the higher bits refine it
    case SQLITE_FULL:
      return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", message);
    case SQLITE_NOMEM:  // these pass, and say nothing of the file
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::ResourceExhaustedError(message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      bound_(other.bound_),
      bind_error_(std::move(other.bind_error_)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    sqlite3_finalize(handle_);
    handle_ = std::exchange(other.handle_, nullptr);
    bound_ = other.bound_;
    bind_error_ = std::move(other.bind_error_);
  }
  return *this;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::Bind(int64_t value) {
  const int code = sqlite3_bind_int64(handle_, ++bound_, value);
  if (code != SQLITE_OK) bind_error_ = ToStatus(nullptr, code, "cannot bind a number");
  return *this;
}

Statement& Statement::Bind(double value) {
  const int code = sqlite3_bind_double(handle_, ++bound_, value);
  if (code != SQLITE_OK) bind_error_ = ToStatus(nullptr, code, "cannot bind a number");
  return *this;
}

Statement& Statement::Bind(absl::string_view text) {
  const int code = sqlite3_bind_text64(handle_, ++bound_, text.data(), text.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) bind_error_ = ToStatus(nullptr, code, "cannot bind a text");
  return *this;
}

Statement& Statement::BindBlob(absl::string_view bytes) {
  // A null pointer would bind NULL instead of an empty blob.
  const char* data = bytes.empty() ? "" : bytes.data();
  const int code = sqlite3_bind_blob64(handle_, ++bound_, data, bytes.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) bind_error_ = ToStatus(nullptr, code, "cannot bind a blob");
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  UNBRAID_RETURN_IF_ERROR(bind_error_);
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ToStatus(sqlite3_db_handle(handle_), code, sqlite3_sql(handle_));
}

absl::Status Statement::Run() {
  absl::Status status;
  while (true) {
    absl::StatusOr<bool> row = Step();
    if (!row.ok()) status = row.status();
    if (!row.ok() || !*row) break;
  }
  Reset();
  return status;
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(handle_, column); }

double Statement::Double(int column) const { return sqlite3_column_double(handle_, column); }

std::string Statement::Text(int column) const {
  // The pointer must be asked for before the size.
  const void* bytes = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  if (bytes == nullptr) return "";
  return std::string(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

void Statement::Reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  bound_ = 0;
  bind_error_ = absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const std::vector<std::string>& migrations,
                                                         const std::string& files_folder) {
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  std::unique_ptr<Database> database(
      new Database(handle, path));  // closes the handle on error, too
  if (code != SQLITE_OK) return ToStatus(handle, code, absl::StrCat("cannot open ", path));
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  absl::Status status = database->Execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  if (status.ok()) status = database->CheckIntegrity();
  if (absl::IsDataLoss(status)) return RefuseDamaged(status, path);
  if (status.ok() && !files_folder.empty())
    UNBRAID_RETURN_IF_ERROR(database->CheckNotLost(files_folder));
  if (status.ok()) status = database->Migrate(migrations);
  if (absl::IsDataLoss(status)) return RefuseDamaged(status, path);
  if (!status.ok()) return base::Annotate(status, path);
  return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

absl::StatusOr<Statement> Database::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ToStatus(handle_, code, sql);
  return Statement(statement);
}

absl::Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ToStatus(handle_, code, sql);
}

int64_t Database::changes() const { return sqlite3_changes64(handle_); }

absl::Status Database::CheckIntegrity() {
  UNBRAID_ASSIGN_OR_RETURN(Statement check, Prepare("PRAGMA quick_check(1)"));
  UNBRAID_ASSIGN_OR_RETURN(const bool row, check.Step());
  if (row && check.Text(0) == "ok") return absl::OkStatus();
  return absl::DataLossError(row ? check.Text(0) : "no answer to the check");
}

absl::StatusOr<int64_t> Database::Version() {
  UNBRAID_ASSIGN_OR_RETURN(Statement query, Prepare("PRAGMA user_version"));
  UNBRAID_ASSIGN_OR_RETURN(const bool row, query.Step());
  return row ? query.Int(0) : 0;
}

absl::Status Database::CheckNotLost(const std::string& files_folder) {
  UNBRAID_ASSIGN_OR_RETURN(const int64_t version, Version());
  std::error_code error;
  if (version > 0 || std::filesystem::is_empty(files_folder, error) || error)
    return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the database ", path_, " is missing or empty, but there are files in ", files_folder,
      ". Nothing was removed. Restore the database from a backup, or move the whole data folder "
      "away to begin empty; then start again"));
}

absl::Status RefuseDamaged(const absl::Status& status, const std::string& path) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(absl::StrCat(
      "the database ", path, " is damaged (", status.message(),
      "). It was left as it is. Restore the file from a backup, or move the whole data folder away "
      "to begin empty; then start again"));
}

absl::Status Database::Migrate(const std::vector<std::string>& migrations) {
  UNBRAID_ASSIGN_OR_RETURN(const int64_t version, Version());
  const auto newest = static_cast<int64_t>(migrations.size());
  if (version > newest) {
    return absl::FailedPreconditionError(
        absl::StrCat("schema ", version, " was written by a newer version; this one knows ", newest,
                     ". Run the newer version again"));
  }
  for (int64_t from = version; from < newest; ++from) {
    UNBRAID_RETURN_IF_ERROR(Transaction([&]() -> absl::Status {
      UNBRAID_RETURN_IF_ERROR(Execute(migrations[static_cast<size_t>(from)]));
      return Execute(absl::StrCat("PRAGMA user_version = ", from + 1));
    }));
  }
  return absl::OkStatus();
}

}  // namespace unbraid::store
