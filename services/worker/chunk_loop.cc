#include "services/worker/chunk_loop.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/common/base/status.h"
#include "services/common/telemetry/log.h"
#include "services/worker/settlement.h"

namespace unbraid::worker {
namespace {

using internal::v1::ChunkResult;
using internal::v1::ChunkTask;

// How long a chunk that may end the process waits for the confirms of those before it.
constexpr absl::Duration kSettlePatience = absl::Seconds(5);

std::string MessageId(const ChunkResult& result) {
  const std::string chunk =
      absl::StrCat(result.separation_id(), ".", result.attempt(), ".", result.chunk_index(), ".");
  return result.has_stem() ? absl::StrCat(chunk, result.stem().stem_index()) : chunk + "failure";
}

}  // namespace

ChunkLoop::ChunkLoop(const Options& options, std::vector<const model::Package*> packages,
                     const Parts& parts)
    : model_turn_(options.model_turn),
      parts_(parts),
      shelf_(options.worker, std::move(packages), options.model_memory_bytes, parts.watchdog,
             parts.metrics) {}

absl::Status ChunkLoop::Load(const SeparatorFactory& factory) { return shelf_.LoadAll(factory); }

absl::Status ChunkLoop::Run() {
  while (true) {
    std::optional<Arrival> arrival =
        parts_.queue->Pop({shelf_.loaded(), shelf_.changed_at() + model_turn_});
    if (!arrival) return absl::OkStatus();
    UNBRAID_RETURN_IF_ERROR(Handle(*std::move(arrival)));
  }
}

absl::Status ChunkLoop::Handle(Arrival arrival) {
  parts_.metrics->received_bytes().Increment(static_cast<double>(arrival.delivery.body.size()));
  ChunkTask task;
  const bool parsed = task.ParseFromString(arrival.delivery.body);
  // Without an assembler there is nobody to tell that the task is wrong.
  if (!parsed || task.assembler().empty()) {
    telemetry::Error(
        "set a message aside that is no chunk task",
        {{"message_id", arrival.delivery.message_id}, {"bytes", arrival.delivery.body.size()}});
    parts_.metrics->CountChunk("rejected");
    parts_.broker->Nack(arrival.model, arrival.delivery.tag, /*requeue=*/false);
    return absl::OkStatus();
  }
  std::string().swap(arrival.delivery.body);  // the task has a copy; a model needs the memory
  const base::SeparationId separation(task.separation_id());
  if (parts_.cancelled->HasEnded(separation, task.attempt())) {
    telemetry::Info("dropped a chunk of a separation that has ended",
                    {{"separation", separation.ToString()},
                     {"chunk", task.chunk_index()},
                     {"attempt", task.attempt()}});
    parts_.metrics->CountChunk("cancelled");
    parts_.broker->Ack(arrival.model, arrival.delivery.tag);
    return absl::OkStatus();
  }
  return Compute(arrival, task);
}

absl::Status ChunkLoop::Compute(const Arrival& arrival, const ChunkTask& task) {
  // Should this one end the process, at least the chunks before it are done with.
  if (arrival.delivery.delivery_count > 0) (void)AwaitSettled(kSettlePatience);
  SetCurrent(arrival);
  const absl::StatusOr<ChunkProcessor*> processor = shelf_.Use(arrival.model);
  if (!processor.ok()) {
    GiveBack("its model cannot be loaded again");
    return processor.status();
  }
  const std::vector<ChunkProcessor::Results> results = Process(*processor, task);
  {
    // In one step: a chunk whose results are on their way is settled by their confirms alone.
    absl::MutexLock lock(&mutex_);
    ++unsettled_;
    current_.is_set = false;
  }
  Send(arrival, task, results.front());
  return absl::OkStatus();
}

std::vector<ChunkProcessor::Results> ChunkLoop::Process(ChunkProcessor* processor,
                                                        const ChunkTask& task) {
  const absl::Time start = absl::Now();
  parts_.metrics->busy().Set(1);
  std::vector<ChunkProcessor::Results> results;
  {
    const Watchdog::Guard guard(parts_.watchdog);
    results = processor->Process(absl::MakeConstSpan(&task, 1));
  }
  parts_.metrics->busy().Set(0);
  Log(task, results.front(), absl::Now() - start);
  return results;
}

void ChunkLoop::Log(const ChunkTask& task, const ChunkProcessor::Results& results,
                    absl::Duration took) {
  const double seconds = absl::ToDoubleSeconds(took);
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

void ChunkLoop::Send(const Arrival& arrival, const ChunkTask& task,
                     const ChunkProcessor::Results& results) {
  const auto settlement = Settlement::Create(
      results.size(), [this, model = arrival.model, tag = arrival.delivery.tag,
                       separation = base::SeparationId(task.separation_id()).ToString(),
                       chunk = task.chunk_index()](const absl::Status& outcome) {
        Settle(model, tag, separation, chunk, outcome);
      });
  if (!results.front().has_failure()) {
    parts_.metrics->audio_seconds().Increment(static_cast<double>(task.keep_frames()) /
                                              shelf_.package(arrival.model).sample_rate_hz);
  }
  for (const ChunkResult& result : results) {
    BrokerLink::Outgoing outgoing = {task.assembler(), MessageId(result),
                                     result.SerializeAsString()};
    parts_.metrics->sent_bytes().Increment(static_cast<double>(outgoing.body.size()));
    parts_.broker->Publish(std::move(outgoing), [settlement](const absl::Status& status) {
      settlement->Decide(status);
    });
  }
}

void ChunkLoop::Settle(size_t model, amqp::DeliveryTag tag, const std::string& separation,
                       int64_t chunk, const absl::Status& outcome) {
  if (outcome.ok()) {
    parts_.broker->Ack(model, tag);
  } else {
    telemetry::Warning("gave a chunk back whose results could not be sent",
                       {{"separation", separation}, {"chunk", chunk}, {"error", outcome}});
    parts_.metrics->CountChunk("returned");
    // A result that is too large for the broker stays too large.
    parts_.broker->Nack(model, tag, /*requeue=*/!absl::IsResourceExhausted(outcome));
  }
  absl::MutexLock lock(&mutex_);
  --unsettled_;
}

bool ChunkLoop::AwaitSettled(absl::Duration timeout) {
  const auto settled = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return unsettled_ == 0; };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&settled), timeout);
}

void ChunkLoop::SetCurrent(const Arrival& arrival) {
  absl::MutexLock lock(&mutex_);
  current_ = {true, arrival.model, arrival.delivery.tag};
}

void ChunkLoop::GiveBackCurrent() { GiveBack("the grace period is over"); }

void ChunkLoop::GiveBack(absl::string_view why) {
  Current current;
  {
    absl::MutexLock lock(&mutex_);
    current = std::exchange(current_, Current());
  }
  if (!current.is_set) return;
  telemetry::Warning(absl::StrCat("gave back the chunk that was being computed: ", why));
  parts_.metrics->CountChunk("returned");
  parts_.broker->Nack(current.model, current.tag, /*requeue=*/true);
}

}  // namespace unbraid::worker
