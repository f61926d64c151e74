#ifndef UNBRAID_CLIENTS_CLI_MIX_OPTION_H_
#define UNBRAID_CLIENTS_CLI_MIX_OPTION_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unbraid::cli {

// Reads "vocals=0,drums=1.5" as gains by stem. INVALID_ARGUMENT when it is not of that form.
// Whether the stems exist and the gains are in range is for the server to say.
absl::StatusOr<std::map<std::string, double>> ParseMix(absl::string_view text);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_MIX_OPTION_H_
