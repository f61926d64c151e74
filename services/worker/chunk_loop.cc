#include "services/worker/chunk_loop.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/ids.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"

namespace unbraid::worker {
namespace {

using internal::v1::ChunkTask;

// How long a chunk that may end the process waits for the confirms of those before it.
constexpr absl::Duration kSettlePatience = absl::Seconds(5);
// Below the delivery limit, since each time may count as a failed delivery of the same chunk.
constexpr int kMostTimesStarved = 3;

}  // namespace

ChunkLoop::ChunkLoop(const Options& options, std::vector<const model::Package*> packages,
                     const Parts& parts)
    : options_(options),
      parts_(parts),
      intake_(parts.broker, parts.cancelled, parts.metrics, parts.objects),
      hand_over_(parts.broker, parts.metrics, parts.objects),
      shelf_({options.worker, options.model_memory_bytes, options.batch}, std::move(packages),
             parts.watchdog, parts.metrics) {}

absl::Status ChunkLoop::Load(const ExecutorFactory& factory) { return shelf_.LoadAll(factory); }

absl::Status ChunkLoop::Run() {
  while (true) {
    // While something is computed, a batch is begun beside it if one is full or has waited, and
    // otherwise the results of the first one go before everything else.
    std::vector<Arrival> arrivals =
        parts_.queue->Pop({shelf_.loaded(), shelf_.changed_at() + options_.model_turn},
                          {shelf_.chunks(), options_.batch_wait, /*at_once=*/!begun_.empty()});
    if (arrivals.empty()) {
      if (begun_.empty()) return absl::OkStatus();
      UNBRAID_RETURN_IF_ERROR(EndFirst());
      continue;
    }
    Batch batch;
    {
      const Watchdog::Guard guard(parts_.watchdog);  // samples may be read
      batch = Accept(std::move(arrivals));
    }
    if (!batch.tasks.empty()) UNBRAID_RETURN_IF_ERROR(Compute(std::move(batch)));
  }
}

ChunkLoop::Batch ChunkLoop::Accept(std::vector<Arrival> arrivals) const {
  Batch batch;
  batch.suspect = arrivals.front().delivery.delivery_count > 0;
  for (Arrival& arrival : arrivals) {
    std::optional<ChunkTask> task = intake_.Accept(arrival);
    std::string().swap(arrival.delivery.body);  // the task has a copy; a model needs the memory
    if (!task) continue;
    batch.tasks.push_back(*std::move(task));
    batch.receipts.push_back({arrival.model, arrival.delivery.tag});
  }
  return batch;
}

absl::Status ChunkLoop::Compute(Batch batch) {
  const bool alone = batch.suspect || (!begun_.empty() && begun_.front().model() != batch.model());
  if (alone) UNBRAID_RETURN_IF_ERROR(EndAll());
  // Should this one end the process, at least the chunks before it are done with.
  if (batch.suspect) (void)AwaitSettled(kSettlePatience);
  hand_over_.Take(batch.receipts);
  const absl::StatusOr<ChunkProcessor*> processor = shelf_.Use(batch.model());
  if (!processor.ok()) {
    hand_over_.GiveBack("the model cannot be loaded again");
    return processor.status();
  }
  batch.processor = *processor;
  batch.begun = base::SteadyNow();
  parts_.metrics->busy().Set(1);
  parts_.metrics->batch_chunks().Observe(static_cast<double>(batch.tasks.size()));
  const auto most = static_cast<size_t>(batch.suspect ? 1 : batch.processor->depth());
  begun_.push_back(std::move(batch));
  {
    const Watchdog::Guard guard(parts_.watchdog);
    begun_.back().processor->Begin(begun_.back().tasks);
  }
  while (begun_.size() >= most) UNBRAID_RETURN_IF_ERROR(EndFirst());
  return absl::OkStatus();
}

absl::Status ChunkLoop::EndAll() {
  while (!begun_.empty()) UNBRAID_RETURN_IF_ERROR(EndFirst());
  return absl::OkStatus();
}

absl::Status ChunkLoop::EndFirst() {
  absl::StatusOr<std::vector<ChunkProcessor::Results>> results =
      std::vector<ChunkProcessor::Results>();
  {
    const Watchdog::Guard guard(parts_.watchdog);
    results = begun_.front().processor->End();
  }
  const Batch batch = std::move(begun_.front());
  begun_.pop_front();
  if (begun_.empty()) parts_.metrics->busy().Set(0);
  if (!results.ok()) return OnTrouble(results.status());
  times_starved_ = 0;
  SetStarved(absl::OkStatus());
  Finish(batch, *std::move(results));
  return absl::OkStatus();
}

absl::Status ChunkLoop::OnTrouble(const absl::Status& trouble) {
  if (!absl::IsResourceExhausted(trouble)) return trouble;
  // Whatever was begun after it meets the same lack, but for what was on the device already, and
  // goes with it.
  while (!begun_.empty()) {
    const Watchdog::Guard guard(parts_.watchdog);
    (void)begun_.front().processor->End();
    begun_.pop_front();
  }
  parts_.metrics->busy().Set(0);
  hand_over_.GiveBack("the device's memory does not do for one chunk");
  SetStarved(absl::UnavailableError(
      absl::StrCat("the device's memory does not do for one chunk: ", trouble.message())));
  if (++times_starved_ == kMostTimesStarved) return trouble;
  (void)parts_.queue->AwaitClosed(options_.memory_pause * times_starved_);
  return absl::OkStatus();
}

void ChunkLoop::SetStarved(const absl::Status& starved) {
  absl::MutexLock lock(&mutex_);
  starved_ = starved;
}

absl::Status ChunkLoop::Ready() const {
  absl::MutexLock lock(&mutex_);
  return starved_;
}

void ChunkLoop::Finish(const Batch& batch, std::vector<ChunkProcessor::Results> results) {
  {
    const Watchdog::Guard guard(parts_.watchdog);
    for (size_t i = 0; i < results.size(); ++i) hand_over_.LayAside(batch.tasks[i], &results[i]);
  }
  const absl::Time now = base::SteadyNow();
  // A batch that was begun beside another one had its turn when that one was done with.
  const double seconds = absl::ToDoubleSeconds(now - std::max(batch.begun, last_ended_)) /
                         static_cast<double>(batch.tasks.size());
  last_ended_ = now;
  for (size_t i = 0; i < batch.tasks.size(); ++i) {
    Log(batch.tasks[i], results[i], seconds);
    if (!results[i].front().has_failure()) {
      parts_.metrics->audio_seconds().Increment(static_cast<double>(batch.tasks[i].keep_frames()) /
                                                shelf_.package(batch.model()).sample_rate_hz);
    }
    hand_over_.Send(batch.receipts[i], batch.tasks[i], results[i]);
  }
}

void ChunkLoop::Log(const ChunkTask& task, const ChunkProcessor::Results& results, double seconds) {
  const std::string separation = base::SeparationId(task.separation_id()).ToString();
  if (results.front().has_failure()) {
    const internal::v1::ChunkFailure& failure = results.front().failure();
    telemetry::Error("chunk failed", {{"separation", separation},
                                      {"chunk", task.chunk_index()},
                                      {"attempt", task.attempt()},
                                      {"try", task.try_()},
                                      {"model", task.model()},
                                      {"seconds", seconds},
                                      {"reason", failure.reason()},
                                      {"error", failure.message()},
                                      {"trace_parent", task.trace_parent()}});
    return parts_.metrics->CountChunk(failure.reason());
  }
  telemetry::Info("chunk computed", {{"separation", separation},
                                     {"chunk", task.chunk_index()},
                                     {"attempt", task.attempt()},
                                     {"try", task.try_()},
                                     {"model", task.model()},
                                     {"seconds", seconds},
                                     {"trace_parent", task.trace_parent()}});
  parts_.metrics->CountChunk("computed");
  parts_.metrics->chunk_seconds().Observe(seconds);
}

}  // namespace unbraid::worker
