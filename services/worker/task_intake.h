#ifndef UNBRAID_SERVICES_WORKER_TASK_INTAKE_H_
#define UNBRAID_SERVICES_WORKER_TASK_INTAKE_H_

#include <optional>

#include "services/worker/broker_link.h"
#include "services/worker/cancel_book.h"
#include "services/worker/chunk_queue.h"
#include "services/worker/worker_metrics.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::worker {

// Reads what came in, and settles at once what is not to be computed. Of the inference thread.
class TaskIntake {
 public:
  // Not owned.
  TaskIntake(BrokerLink* broker, const CancelBook* cancelled, WorkerMetrics* metrics)
      : broker_(broker), cancelled_(cancelled), metrics_(metrics) {}

  // The task of an arrival. Nothing when it is none (set aside among the dead letters) or its
  // separation has ended (acknowledged).
  std::optional<internal::v1::ChunkTask> Accept(const Arrival& arrival) const;

 private:
  BrokerLink* const broker_;
  const CancelBook* const cancelled_;
  WorkerMetrics* const metrics_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TASK_INTAKE_H_
