#include "services/worker/task_intake.h"

#include "services/common/base/ids.h"
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
    return std::nullopt;
  }
  return task;
}

}  // namespace unbraid::worker
