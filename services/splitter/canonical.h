#ifndef UNBRAID_SERVICES_SPLITTER_CANONICAL_H_
#define UNBRAID_SERVICES_SPLITTER_CANONICAL_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/common/base/ids.h"
#include "services/common/model/package.h"
#include "services/splitter/job.h"
#include "unbraid/v1/separation.pb.h"
#include "unbraid/v1/track.pb.h"

namespace unbraid::splitter {

// Turns what a client asked for into the one canonical form of it: model and stems filled in, stems
// in the model's order, the mix gains of every stem that takes part, the output format resolved, a
// seed only where there are shifts.
// Equal jobs get equal forms, and so equal ids. Pure.
//
// Errors, all INVALID_ARGUMENT: UNKNOWN_STEM (listing what there is), INVALID_MIX, INVALID_SHIFTS,
// UNSUPPORTED_OUTPUT.
absl::StatusOr<Job> MakeJob(const std::string& owner, const v1::Separation& wanted,
                            const v1::Track& track, const model::Package& package,
                            const std::string& splitter);

// The text whose SHA-256 identifies a separation. A change of it changes all ids.
std::string FingerprintText(const std::string& owner, const std::string& track_sha256,
                            const std::string& package_sha256, const v1::Separation& canonical);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_CANONICAL_H_
