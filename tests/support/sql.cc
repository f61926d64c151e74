#include "tests/support/sql.h"

#include <sqlite3.h>

namespace unbraid::test_support {

bool ExecuteSql(const std::string& database, const std::string& statement) {
  sqlite3* handle = nullptr;
  const bool done =
      sqlite3_open_v2(database.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
      sqlite3_exec(handle, statement.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  sqlite3_close(handle);
  return done;
}

}  // namespace unbraid::test_support
