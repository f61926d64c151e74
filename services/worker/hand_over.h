#ifndef UNBRAID_SERVICES_WORKER_HAND_OVER_H_
#define UNBRAID_SERVICES_WORKER_HAND_OVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/store/object_folder.h"
#include "services/worker/broker_link.h"
#include "services/worker/chunk_processor.h"
#include "services/worker/worker_metrics.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::worker {

// What a chunk is known by to the broker.
struct Receipt {
  size_t model = 0;
  amqp::DeliveryTag tag;

  bool operator==(const Receipt& other) const {
    return model == other.model && tag.generation == other.tag.generation &&
           tag.value == other.tag.value;
  }
};

// Chunks from when they are taken to when the broker has their results: those in hand can be given
// back; each of the others is settled by the confirms of its results alone. Thread-safe.
class HandOver {
 public:
  // Not owned. `objects`: where samples lie that do not come with their task; null: nowhere.
  HandOver(BrokerLink* broker, WorkerMetrics* metrics, const store::ObjectFolder* objects)
      : broker_(broker), metrics_(metrics), objects_(objects) {}

  // These chunks are in hand now.
  void Take(const std::vector<Receipt>& receipts);

  // Publishes the results of a chunk, which is in hand no more: it is acknowledged when the broker
  // has confirmed all of them, given back when one finds no way, and set aside when one is too
  // large. A chunk that was given back meanwhile has duplicate results then, and no samples beside
  // its task any more, which whoever has it now tells as a failure too late to matter.
  void Send(const Receipt& receipt, const internal::v1::ChunkTask& task,
            const ChunkProcessor::Results& results);

  // Lays the samples of results beside their messages, if those of the task were there. What finds
  // no room stays in its message.
  void LayAside(const internal::v1::ChunkTask& task, ChunkProcessor::Results* results) const;

  // Gives all chunks in hand back to the broker. Does nothing when there are none.
  void GiveBack(absl::string_view why);

  // Waits until no result is on its way any more. False when the time is up.
  bool AwaitSettled(absl::Duration timeout);

 private:
  // What is known of a chunk whose results are on their way.
  struct Sent {
    Receipt receipt;
    std::string separation;
    int64_t chunk;
    std::string object;  // its samples, if they lay beside its task
  };

  void Settle(const Sent& sent, const absl::Status& outcome);

  BrokerLink* const broker_;
  WorkerMetrics* const metrics_;
  const store::ObjectFolder* const objects_;

  absl::Mutex mutex_;
  std::vector<Receipt> in_hand_ ABSL_GUARDED_BY(mutex_);
  int unsettled_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_HAND_OVER_H_
