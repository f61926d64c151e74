#ifndef UNBRAID_SERVICES_WORKER_PIPELINE_H_
#define UNBRAID_SERVICES_WORKER_PIPELINE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/worker/batch_limit.h"
#include "services/worker/executor.h"

namespace unbraid::worker {

// Batches on their way through a device. While one is computed, the next one is taken in and the
// results of the one before are given out, as far as the device has slots for it.
//
// A batch that the device has no memory for is computed in smaller parts when its turn comes, with
// nothing beside it, and those that follow it wait until then; what fitted is remembered
// (`BatchLimit`). Not thread-safe: of the thread that made the executor.
class Pipeline {
 public:
  // `most_windows`: of the largest batch that is wanted. `out_of_memory` is called with the
  // device's words, and how many windows did not fit, whenever that happens.
  Pipeline(std::unique_ptr<Executor> executor, int most_windows,
           std::function<void(const absl::Status&, int)> out_of_memory);

  // Computes silence in the largest batch, twice, so that later ones are not slower, and those that
  // do not fit are found now. Nothing for batches of one window: the executor has done that.
  // INVALID_ARGUMENT when the model cannot be computed in batches; RESOURCE_EXHAUSTED as Run.
  absl::Status WarmUp();

  const Geometry& geometry() const { return executor_->geometry(); }
  // With what the largest batch takes.
  Footprint footprint() const;
  int slots() const { return executor_->slots(); }

  // How many batches may be begun before the first one is ended, and how large they had best be, by
  // what is known of the memory. More are as right, but wait for each other.
  int depth() const { return limit_.overlaps() ? executor_->slots() : 1; }
  int windows() const { return limit_.now(); }

  // Begins a batch: see Executor for what the arguments mean; both stay as they are until its End.
  // Returns as soon as the device lets it.
  void Begin(absl::Span<const float> windows, absl::Span<const int> wanted);

  // Waits for the batch that was begun first of those not ended, and ends it. What it gives is
  // valid until the next call of anything. Errors as of Executor; RESOURCE_EXHAUSTED: not even one
  // window fits when nothing else is on the device.
  absl::StatusOr<absl::Span<const float>> End();

  // Computes a batch at once, when those that were begun are through; there must be fewer of them
  // than slots.
  absl::StatusOr<absl::Span<const float>> Run(absl::Span<const float> windows,
                                              absl::Span<const int> wanted);

 private:
  static constexpr int kNoSlot = -1;

  using Stems = absl::StatusOr<absl::Span<const float>>;

  struct Batch {
    absl::Span<const float> windows;
    absl::Span<const int> wanted;
    int slot = kNoSlot;  // none: it waits for its turn
    absl::Status begun;
    std::optional<Stems> ended;  // before its turn
  };

  int WindowsOf(absl::Span<const float> samples) const;
  // The first slot that neither a batch nor `held`, what was given out last, is in; may be one too
  // many.
  int FreeSlot(int held = kNoSlot) const;
  bool Fits(const Batch& batch, size_t before) const;
  void StartIn(int slot, Batch* batch);
  void Resume(int held);
  void Drain();
  Stems Outcome(const Batch& batch);
  absl::Status Start(int slot, absl::Span<const float> windows, absl::Span<const int> wanted);
  Stems RunIn(int slot, absl::Span<const float> windows, absl::Span<const int> wanted);
  Stems RunInParts(int slot, absl::Span<const float> windows, absl::Span<const int> wanted);
  void OnOutOfMemory(const absl::Status& words, int windows);

  const std::unique_ptr<Executor> executor_;
  const int most_windows_;
  const std::function<void(const absl::Status&, int)> out_of_memory_;
  BatchLimit limit_;
  std::deque<Batch> batches_;
  std::vector<float> joined_;  // results of a batch that was computed in parts
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_PIPELINE_H_
