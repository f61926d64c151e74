#include "services/worker/task_intake.h"

#include "services/common/base/ids.h"
#include "services/common/samples/beside.h"
#include "services/common/telemetry/log.h"

namespace unbraid::worker {

using internal::v1::ChunkTask;

std::optional<ChunkTask> TaskIntake::Accept(const Arrival& arrival) const {
  const amqp::Delivery& delivery = arrival.delivery;
  metrics_->received_bytes().Increment(static_cast<double>(delivery.body.size()));
  ChunkTask task;
  const bool parsed = task.ParseFromString(delivery.body);
  // Without an assembler there is nobody to tell that the task is wrong.
  if (!parsed || task.assembler().empty()) {
    telemetry::Error("set a message aside that is no chunk task",
                     {{"message_id", delivery.message_id}, {"bytes", delivery.body.size()}});
    metrics_->CountChunk("rejected");
    broker_->Nack(arrival.model, delivery.tag, /*requeue=*/false);
    return std::nullopt;
  }
  const base::SeparationId separation(task.separation_id());
  if (cancelled_->HasEnded(separation, task.attempt())) {
    telemetry::Info("dropped a chunk of a separation that has ended",
                    {{"separation", separation.ToString()},
                     {"chunk", task.chunk_index()},
                     {"attempt", task.attempt()}});
    metrics_->CountChunk("cancelled");
    broker_->Ack(arrival.model, delivery.tag);
    if (objects_ != nullptr) objects_->Remove(task.samples_object().uri());
    return std::nullopt;
  }
  if (task.has_samples_object()) FetchSamples(&task);
  return task;
}

// What cannot be had is told as a failure of the chunk. If it was delivered before, and its samples
// went when its results were confirmed, then these are before the failure in the assembler's queue.
void TaskIntake::FetchSamples(ChunkTask* task) const {
  const absl::Status fetched = samples::Fetch(objects_, task);
  metrics_->received_bytes().Increment(static_cast<double>(task->samples().size()));
  if (fetched.ok()) return;
  telemetry::Warning("cannot read the samples of a chunk",
                     {{"separation", base::SeparationId(task->separation_id()).ToString()},
                      {"chunk", task->chunk_index()},
                      {"error", fetched}});
}

}  // namespace unbraid::worker
