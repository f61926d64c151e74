#ifndef UNBRAID_TESTS_SUPPORT_SQL_H_
#define UNBRAID_TESTS_SUPPORT_SQL_H_

#include <string>

namespace unbraid::test_support {

// Runs a statement on a database behind the back of its owner; false when that fails.
bool ExecuteSql(const std::string& database, const std::string& statement);

}  // namespace unbraid::test_support

#endif  // UNBRAID_TESTS_SUPPORT_SQL_H_
