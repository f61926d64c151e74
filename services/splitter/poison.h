#ifndef UNBRAID_SERVICES_SPLITTER_POISON_H_
#define UNBRAID_SERVICES_SPLITTER_POISON_H_

#include <optional>

#include "services/splitter/job.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::splitter {

// The failure of a separation one of whose chunks was set aside because worker after worker died on
// it: chunk number, where in the track it lies (if the job is known), and what happened. Pure.
internal::v1::FailSeparationRequest PoisonFailure(const internal::v1::ChunkTask& task,
                                                  const std::optional<Job>& job);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_POISON_H_
