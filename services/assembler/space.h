#ifndef UNBRAID_SERVICES_ASSEMBLER_SPACE_H_
#define UNBRAID_SERVICES_ASSEMBLER_SPACE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "services/assembler/job.h"

namespace unbraid::assembler {

// Room for records, chunks that wait to be joined, and whatever else lives on the disk.
inline constexpr int64_t kSpareBytes = int64_t{64} << 20;

// INVALID_ARGUMENT (BAD_REQUEST) when a separation could not be worked on as it is described: the
// rest of the assembler relies on what this has let through.
absl::Status CheckOpen(const internal::v1::OpenSeparationRequest& request);

// Bytes that a separation takes on the disk at most: the joined stems at the model's rate, and
// beside them the results, as floats, or, earlier and where there are several passes, the joined
// stems of the pass before; the song too where there is a residual. Chunks that wait to be joined
// come on top, but they are few.
int64_t NeededBytes(const internal::v1::OpenSeparationRequest& request);

// What of that is still to be written.
int64_t StillNeededBytes(const Job& job);

// RESOURCE_EXHAUSTED (DISK_FULL), saying how much is missing, unless `needed` bytes fit into `free`
// beside the `promised` ones of separations that run already and the `spare` ones that must stay.
absl::Status CheckSpace(int64_t needed, int64_t promised, int64_t free,
                        int64_t spare = kSpareBytes);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_SPACE_H_
