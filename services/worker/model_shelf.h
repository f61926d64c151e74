#ifndef UNBRAID_SERVICES_WORKER_MODEL_SHELF_H_
#define UNBRAID_SERVICES_WORKER_MODEL_SHELF_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/model/package.h"
#include "services/worker/chunk_processor.h"
#include "services/worker/executor.h"
#include "services/worker/pipeline.h"
#include "services/worker/watchdog.h"
#include "services/worker/worker_metrics.h"

namespace unbraid::worker {

// The models of a worker, of which no more are in memory than a budget allows: the one that was not
// used for longest goes before another is loaded. One model runs at a time, so the need of those in
// memory is the sum of what they keep and the most that one of them takes besides while it runs.
// Of the inference thread alone.
class ModelShelf {
 public:
  struct Options {
    std::string worker;        // its name
    int64_t memory_bytes = 0;  // the budget; 0: no limit
    int batch = 1;             // chunks of a batch at most
  };

  // Nothing is owned; the packages' indexes are the models' numbers.
  ModelShelf(Options options, std::vector<const model::Package*> packages, Watchdog* watchdog,
             WorkerMetrics* metrics);

  // Loads every package once, which shows that it can be loaded and what it needs. Without a budget
  // all stay in memory; with one each is loaded alone, since its need is not known before, and the
  // first one stays. Errors of the factory, INVALID_ARGUMENT for another geometry than the package
  // says, and
  //   RESOURCE_EXHAUSTED   a package needs more than the whole budget, or, where it may have to
  //   make
  //                        way for another, more time to load than one inference may take
  absl::Status LoadAll(ExecutorFactory factory);

  // The processor of a model, which is loaded if it is not in memory; valid until the next call.
  // Only after LoadAll. An error, as of LoadAll, means that the package has changed on the disk.
  absl::StatusOr<ChunkProcessor*> Use(size_t model);

  const model::Package& package(size_t model) const { return *packages_[model]; }

  // How many chunks each model had best be given at a time. Of one that is not in memory nothing is
  // known yet.
  std::vector<int> chunks() const;

  // How many batches a model has on its device at most. Only after LoadAll.
  int slots() const { return slots_of_device_; }

  // Which models are in memory, and since when nothing has changed about that, by base::SteadyNow.
  std::vector<bool> loaded() const;
  absl::Time changed_at() const { return changed_at_; }

 private:
  struct Slot {
    std::unique_ptr<Pipeline> pipeline;  // null: not in memory
    std::unique_ptr<ChunkProcessor> processor;
    Footprint footprint;  // known once it was loaded
  };

  absl::Status Load(size_t model, int deadlines);
  absl::StatusOr<std::unique_ptr<Pipeline>> MakePipeline(const model::Package& package);
  void Unload(size_t model);
  void Touch(size_t model);
  // Of the models in memory and this one.
  int64_t NeedWith(size_t model) const;
  absl::Status CheckAlone(size_t model) const;
  absl::Status CheckReload(size_t model, absl::Duration took) const;

  const Options options_;
  const std::vector<const model::Package*> packages_;
  Watchdog* const watchdog_;
  WorkerMetrics* const metrics_;

  ExecutorFactory factory_;
  std::vector<Slot> slots_;
  int slots_of_device_ = 1;
  std::list<size_t> newest_first_;  // models in memory, by their last use
  absl::Time changed_at_ = absl::InfinitePast();
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_MODEL_SHELF_H_
