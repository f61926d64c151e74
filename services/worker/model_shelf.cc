#include "services/worker/model_shelf.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"

namespace unbraid::worker {
namespace {

constexpr int64_t kMegabyte = 1'000'000;
// The first load is as long as a few inferences: the files are hashed and read, then every graph
// computes one window twice, and the largest batch twice.
constexpr int kDeadlinesOfLoad = 5;

}  // namespace

ModelShelf::ModelShelf(Options options, std::vector<const model::Package*> packages,
                       Watchdog* watchdog, WorkerMetrics* metrics)
    : options_(std::move(options)),
      packages_(std::move(packages)),
      watchdog_(watchdog),
      metrics_(metrics),
      slots_(packages_.size()) {}

absl::Status ModelShelf::LoadAll(ExecutorFactory factory) {
  factory_ = std::move(factory);
  for (size_t model = packages_.size(); model-- > 0;) {
    while (options_.memory_bytes > 0 && !newest_first_.empty()) Unload(newest_first_.back());
    const absl::Time begin = base::SteadyNow();
    UNBRAID_RETURN_IF_ERROR(Load(model, kDeadlinesOfLoad));
    UNBRAID_RETURN_IF_ERROR(CheckAlone(model));
    UNBRAID_RETURN_IF_ERROR(CheckReload(model, base::SteadyNow() - begin));
  }
  return absl::OkStatus();
}

absl::StatusOr<ChunkProcessor*> ModelShelf::Use(size_t model) {
  Slot& slot = slots_[model];
  if (slot.pipeline == nullptr) {
    while (options_.memory_bytes > 0 && !newest_first_.empty() &&
           NeedWith(model) > options_.memory_bytes) {
      Unload(newest_first_.back());
    }
    // With chunks in hand, which the broker waits for.
    UNBRAID_RETURN_IF_ERROR(Load(model, 1));
  }
  Touch(model);
  return slot.processor.get();
}

absl::Status ModelShelf::Load(size_t model, int deadlines) {
  const Watchdog::Guard guard(watchdog_, deadlines);
  const model::Package& package = *packages_[model];
  const absl::Time start = base::SteadyNow();
  UNBRAID_ASSIGN_OR_RETURN(std::unique_ptr<Pipeline> pipeline, MakePipeline(package));
  UNBRAID_ASSIGN_OR_RETURN(ChunkProcessor processor,
                           ChunkProcessor::Create(options_.worker, &package, pipeline.get()));
  UNBRAID_RETURN_IF_ERROR(pipeline->WarmUp());
  Slot& slot = slots_[model];
  slot.footprint = pipeline->footprint();
  slot.footprint.kept_bytes += processor.buffer_bytes(options_.batch);
  slots_of_device_ = std::max(slots_of_device_, pipeline->slots());
  slot.pipeline = std::move(pipeline);
  slot.processor = std::make_unique<ChunkProcessor>(std::move(processor));
  Touch(model);
  changed_at_ = base::SteadyNow();
  metrics_->OnModelLoaded(package.id(), slot.footprint);
  telemetry::Info("model is ready",
                  {{"model", package.name},
                   {"version", package.version},
                   {"sha256", package.sha256},
                   {"kept_bytes", slot.footprint.kept_bytes},
                   {"working_bytes", slot.footprint.working_bytes},
                   {"batch", slot.processor->chunks()},
                   {"seconds", absl::ToDoubleSeconds(base::SteadyNow() - start)}});
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Pipeline>> ModelShelf::MakePipeline(const model::Package& package) {
  UNBRAID_ASSIGN_OR_RETURN(std::unique_ptr<Executor> executor, factory_(package));
  const auto out_of_memory = [this, name = package.name](const absl::Status& words, int windows) {
    telemetry::Warning("the device's memory does not do for a batch; a smaller one is tried",
                       {{"model", name}, {"windows", windows}, {"error", words}});
    metrics_->out_of_memory().Increment();
  };
  return std::make_unique<Pipeline>(std::move(executor),
                                    options_.batch * MostWindowsOfChunk(package), out_of_memory);
}

void ModelShelf::Unload(size_t model) {
  Slot& slot = slots_[model];
  slot.processor.reset();
  slot.pipeline.reset();
  malloc_trim(0);  // what the heap would keep is needed by the next model, or by somebody else
  newest_first_.remove(model);
  changed_at_ = base::SteadyNow();
  metrics_->OnModelUnloaded(packages_[model]->id());
  telemetry::Info("model is unloaded", {{"model", packages_[model]->name}});
}

void ModelShelf::Touch(size_t model) {
  newest_first_.remove(model);
  newest_first_.push_front(model);
}

int64_t ModelShelf::NeedWith(size_t model) const {
  int64_t kept = slots_[model].footprint.kept_bytes;
  int64_t working = slots_[model].footprint.working_bytes;
  for (const size_t other : newest_first_) {
    if (other == model) continue;
    kept += slots_[other].footprint.kept_bytes;
    working = std::max(working, slots_[other].footprint.working_bytes);
  }
  return kept + working;
}

absl::Status ModelShelf::CheckAlone(size_t model) const {
  const Footprint& need = slots_[model].footprint;
  if (options_.memory_bytes == 0 || need.total_bytes() <= options_.memory_bytes)
    return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "model ", packages_[model]->name, " needs ", (need.total_bytes() - 1) / kMegabyte + 1,
      " MB, more than --model-memory-mb ", options_.memory_bytes / kMegabyte,
      " allows; raise it, or leave the model to another worker"));
}

absl::Status ModelShelf::CheckReload(size_t model, absl::Duration took) const {
  const bool again = options_.memory_bytes > 0 && packages_.size() > 1;
  if (!again || took < watchdog_->deadline()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "to load model ", packages_[model]->name, " takes ", absl::FormatDuration(took),
      ", more than --chunk-deadline allows when it makes way for another; raise that, or leave the "
      "model to another worker"));
}

std::vector<int> ModelShelf::chunks() const {
  std::vector<int> chunks;
  for (const Slot& slot : slots_) {
    chunks.push_back(slot.processor == nullptr ? options_.batch : slot.processor->chunks());
  }
  return chunks;
}

std::vector<bool> ModelShelf::loaded() const {
  std::vector<bool> loaded;
  for (const Slot& slot : slots_) loaded.push_back(slot.pipeline != nullptr);
  return loaded;
}

}  // namespace unbraid::worker
