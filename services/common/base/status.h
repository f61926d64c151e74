#ifndef UNBRAID_SERVICES_COMMON_BASE_STATUS_H_
#define UNBRAID_SERVICES_COMMON_BASE_STATUS_H_

#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unbraid::base {

// Facts about one occurrence of an error, for programs: {"limit_bytes": "1073741824"}.
using ErrorFacts = std::map<std::string, std::string>;

// An error that a user may see. `reason` is the machine-readable UPPER_SNAKE_CASE word that the
// proto files list, beside a method, a service or Failure.reason, or docs/json.md where the command
// finds the error itself; a new one must stand there, too. `sentence` tells a person what happened
// and what to do. Code, reason, sentence and facts survive the way through gRPC.
absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view sentence,
                   const ErrorFacts& facts = {});

// The reason of an error made by Error(), or "" for any other status.
std::string ReasonOf(const absl::Status& status);

// The facts of an error made by Error(), or an empty map.
ErrorFacts FactsOf(const absl::Status& status);

// The same status with `prefix` and ": " before its message; reason and facts stay.
absl::Status Annotate(const absl::Status& status, absl::string_view prefix);

}  // namespace unbraid::base

#define UNBRAID_CONCAT_INNER_(a, b) a##b
#define UNBRAID_CONCAT_(a, b) UNBRAID_CONCAT_INNER_(a, b)

// Leaves the function with the status of `expression` unless it is OK. The counter keeps nested
// uses from shadowing each other.
#define UNBRAID_RETURN_IF_ERROR(expression) \
  UNBRAID_RETURN_IF_ERROR_(UNBRAID_CONCAT_(unbraid_status_, __COUNTER__), expression)
#define UNBRAID_RETURN_IF_ERROR_(status, expression) \
  do {                                               \
    absl::Status status = (expression);              \
    if (!status.ok()) return status;                 \
  } while (false)

// UNBRAID_ASSIGN_OR_RETURN(auto x, F()): declares or assigns x, or leaves the function with the
// error of F().
#define UNBRAID_ASSIGN_OR_RETURN(left, expression) \
  UNBRAID_ASSIGN_OR_RETURN_(UNBRAID_CONCAT_(unbraid_result_, __COUNTER__), left, expression)
#define UNBRAID_ASSIGN_OR_RETURN_(result, left, expression) \
  auto result = (expression);                               \
  if (!result.ok()) return std::move(result).status();      \
  left = *std::move(result)

#endif  // UNBRAID_SERVICES_COMMON_BASE_STATUS_H_
