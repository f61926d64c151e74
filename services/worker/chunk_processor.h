#ifndef UNBRAID_SERVICES_WORKER_CHUNK_PROCESSOR_H_
#define UNBRAID_SERVICES_WORKER_CHUNK_PROCESSOR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/common/model/package.h"
#include "services/worker/separator.h"
#include "services/worker/window_adapter.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::worker {

// From tasks to results; knows neither broker nor runtime. Its large buffers are kept from chunk to
// chunk, so that memory does not grow from song to song. Not thread-safe.
class ChunkProcessor {
 public:
  // What a task became: one result per wanted stem in the task's order, or one failure.
  using Results = std::vector<internal::v1::ChunkResult>;

  // INVALID_ARGUMENT when the separator has another geometry than the package. `package` and
  // `separator` are not owned and must outlive the processor.
  static absl::StatusOr<ChunkProcessor> Create(std::string worker, const model::Package* package,
                                               Separator* separator);

  // What its buffers hold at most while it is given one task at a time.
  int64_t buffer_bytes() const;

  // Computes all tasks as one batch, with the stems that any of them wants, and gives the results
  // in the order of the tasks. A task that is wrong, or whose result is not finite, fails alone; a
  // model that fails, fails the whole batch.
  std::vector<Results> Process(absl::Span<const internal::v1::ChunkTask> tasks);

 private:
  ChunkProcessor(std::string worker, const model::Package* package, Separator* separator);

  internal::v1::ChunkResult NewResult(const internal::v1::ChunkTask& task, double seconds) const;
  Results Failed(const internal::v1::ChunkTask& task, double seconds,
                 const absl::Status& status) const;
  Results Finish(const internal::v1::ChunkTask& task, double seconds,
                 absl::Span<const float> output);
  absl::Status FillStem(const internal::v1::ChunkTask& task, int stem,
                        absl::Span<const float> output, internal::v1::StemSamples* samples);

  std::string worker_;
  const model::Package* package_;
  Separator* separator_;
  WindowAdapter adapter_;

  std::vector<float> windows_;
  std::vector<float> output_;
  std::vector<float> kept_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_CHUNK_PROCESSOR_H_
