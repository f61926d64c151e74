#ifndef UNBRAID_SERVICES_WORKER_TASK_INTAKE_H_
#define UNBRAID_SERVICES_WORKER_TASK_INTAKE_H_

#include <optional>

#include "services/common/store/object_folder.h"
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
  // `objects`: where samples lie that do not come with their task; null: nowhere.
  TaskIntake(BrokerLink* broker, const CancelBook* cancelled, WorkerMetrics* metrics,
             const store::ObjectFolder* objects)
      : broker_(broker), cancelled_(cancelled), metrics_(metrics), objects_(objects) {}

  // The task of an arrival, with its samples if they can be had. Nothing when it is none (set aside
  // among the dead letters) or its separation has ended (acknowledged).
  std::optional<internal::v1::ChunkTask> Accept(const Arrival& arrival) const;

 private:
  void FetchSamples(internal::v1::ChunkTask* task) const;

  BrokerLink* const broker_;
  const CancelBook* const cancelled_;
  WorkerMetrics* const metrics_;
  const store::ObjectFolder* const objects_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TASK_INTAKE_H_
