#include "services/splitter/poison.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "services/splitter/chunk_cutter.h"
#include "services/splitter/failure_reporter.h"

namespace unbraid::splitter {

internal::v1::FailSeparationRequest PoisonFailure(const internal::v1::ChunkTask& task,
                                                  const std::optional<Job>& job) {
  std::string where;
  if (job) {
    const absl::StatusOr<std::string> span = ChunkSpanText(*job, task.chunk_index());
    if (span.ok()) where = absl::StrCat(" (", *span, " of the track)");
  }
  return MakeFailure(
      task.separation_id(), task.attempt(), "POISON_CHUNK",
      absl::StrCat("Chunk ", task.chunk_index(), where,
                   " was given out again and again, and each "
                   "worker of model ",
                   task.model(),
                   " ended before it had computed it. Look at the workers' logs for the cause, "
                   "often too little memory, then create the separation again."));
}

}  // namespace unbraid::splitter
