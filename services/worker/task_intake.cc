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
    Drop(arrival, task, "dropped a chunk of a separation that has ended");
    metrics_->CountChunk("cancelled");
    return std::nullopt;
  }
  if (task.has_samples_object() && !FetchSamples(arrival, &task)) return std::nullopt;
  return task;
}

bool TaskIntake::FetchSamples(const Arrival& arrival, ChunkTask* task) const {
  const absl::Status fetched = samples::Fetch(objects_, task);
  metrics_->received_bytes().Increment(static_cast<double>(task->samples().size()));
  if (fetched.ok()) return true;
  // Whoever is done with a chunk removes its samples. Had nobody been, and were they lost, then the
  // splitter would find out that nothing comes of the chunk, and send it again.
  if (absl::IsNotFound(fetched) && arrival.delivery.redelivered) {
    Drop(arrival, *task, "dropped a chunk that somebody else has computed");
    metrics_->CountChunk("superseded");
    return false;
  }
  telemetry::Error("cannot read the samples of a chunk",
                   {{"separation", base::SeparationId(task->separation_id()).ToString()},
                    {"chunk", task->chunk_index()},
                    {"error", fetched}});
  return true;  // to be told as a failure of the chunk
}

void TaskIntake::Drop(const Arrival& arrival, const ChunkTask& task, const char* why) const {
  telemetry::Info(why, {{"separation", base::SeparationId(task.separation_id()).ToString()},
                        {"chunk", task.chunk_index()},
                        {"attempt", task.attempt()}});
  broker_->Ack(arrival.model, arrival.delivery.tag);
  if (objects_ != nullptr) objects_->Remove(task.samples_object().uri());
}

}  // namespace unbraid::worker
