#ifndef UNBRAID_BENCH_TRANSFER_CLIENT_H_
#define UNBRAID_BENCH_TRANSFER_CLIENT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace unbraid::bench {

// Uploads the file in parts of 256 KiB with checksums, which are made before the clock starts.
// Gives `sent_seconds`, until the server has taken the last part, `seconds`, until its answer, and
// `bytes`.
absl::StatusOr<nlohmann::json> Upload(const std::string& server, const std::string& file);

// Downloads a stem, `separations/{separation}/stems/{stem}`, and forgets it. Gives `seconds` and
// `bytes`.
absl::StatusOr<nlohmann::json> Download(const std::string& server, const std::string& stem);

}  // namespace unbraid::bench

#endif  // UNBRAID_BENCH_TRANSFER_CLIENT_H_
