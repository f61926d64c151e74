#ifndef UNBRAID_SERVICES_ASSEMBLER_PROGRESS_H_
#define UNBRAID_SERVICES_ASSEMBLER_PROGRESS_H_

#include "absl/time/time.h"
#include "services/assembler/job.h"

namespace unbraid::assembler {

// Brings job->separation's progress, version and update time up to date. `finishing` is the share
// of the finishing that is done, 0 to 1. The percentage never falls within an attempt: preparing
// ends at 2, the chunks at 95, and 100 is success alone.
void UpdateProgress(absl::Time now, double finishing, Job* job);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_PROGRESS_H_
