#ifndef UNBRAID_SERVICES_WORKER_CHUNK_PROCESSOR_H_
#define UNBRAID_SERVICES_WORKER_CHUNK_PROCESSOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/common/model/package.h"
#include "services/worker/pipeline.h"
#include "services/worker/window_adapter.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::worker {

// Windows of a chunk at most: a mono model takes a stereo chunk as two.
inline int MostWindowsOfChunk(const model::Package& package) {
  return package.channels == 1 ? 2 : 1;
}

// From tasks to results; knows neither broker nor runtime. Its large buffers are kept from batch to
// batch, so that memory does not grow from song to song. Not thread-safe.
class ChunkProcessor {
 public:
  // What a task became: one result per wanted stem in the task's order, or one failure.
  using Results = std::vector<internal::v1::ChunkResult>;

  // INVALID_ARGUMENT when the pipeline's model has another geometry than the package. `package` and
  // `pipeline` are not owned and must outlive the processor.
  static absl::StatusOr<ChunkProcessor> Create(std::string worker, const model::Package* package,
                                               Pipeline* pipeline);

  // What its buffers and the pipeline's hold at most while it is given batches of `chunks` tasks.
  int64_t buffer_bytes(int chunks) const;

  // How many batches may be begun before the first one is ended, and how many tasks each had best
  // have, by what is known of the device's memory.
  int depth() const { return pipeline_->depth(); }
  int chunks() const;

  // Begins to compute all tasks as one batch, with the stems that any of them wants. They stay
  // where and as they are until its End.
  void Begin(absl::Span<const internal::v1::ChunkTask> tasks);

  // Ends the batch that was begun first of those not ended, and gives the results in the order of
  // its tasks. A task that is wrong, or whose result is not finite, fails alone. When the model
  // fails, the tasks of the batch are computed again one by one, so that the others have their
  // results. An error means that the device has let the batch down, not that the batch is wrong:
  //   RESOURCE_EXHAUSTED   not even one window fits into its memory
  //   UNAVAILABLE          it is lost for this process
  absl::StatusOr<std::vector<Results>> End();

 private:
  // A batch on its way.
  struct Batch {
    absl::Span<const internal::v1::ChunkTask> tasks;
    std::vector<absl::Status> checks;  // by task; no other than one that is OK is computed
    std::vector<float> windows;        // of the good tasks
    std::vector<int> wanted;
    absl::Time begun;
    double seconds = 0;  // each good task's share of the time

    bool none_good() const { return windows.empty(); }
  };

  ChunkProcessor(std::string worker, const model::Package* package, Pipeline* pipeline);

  size_t WindowSamples(const internal::v1::ChunkTask& task) const;
  size_t OutputSamples(const internal::v1::ChunkTask& task) const;
  absl::StatusOr<std::vector<Results>> FinishAll(const Batch& batch,
                                                 absl::StatusOr<absl::Span<const float>> output);
  absl::StatusOr<std::vector<Results>> FinishOneByOne(const Batch& batch);
  internal::v1::ChunkResult NewResult(const internal::v1::ChunkTask& task, double seconds) const;
  Results Failed(const internal::v1::ChunkTask& task, double seconds,
                 const absl::Status& status) const;
  Results FailedByModel(const internal::v1::ChunkTask& task, double seconds,
                        const absl::Status& status) const;
  Results Finish(const internal::v1::ChunkTask& task, double seconds,
                 absl::Span<const float> output);
  absl::Status FillStem(const internal::v1::ChunkTask& task, int stem,
                        absl::Span<const float> output, internal::v1::StemSamples* samples);

  std::string worker_;
  const model::Package* package_;
  Pipeline* pipeline_;
  WindowAdapter adapter_;

  std::deque<Batch> batches_;
  std::vector<std::vector<float>> spare_windows_;  // of batches that have ended
  absl::Time last_ended_ = absl::InfinitePast();
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_CHUNK_PROCESSOR_H_
