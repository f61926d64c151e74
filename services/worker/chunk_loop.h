#ifndef UNBRAID_SERVICES_WORKER_CHUNK_LOOP_H_
#define UNBRAID_SERVICES_WORKER_CHUNK_LOOP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/worker/broker_link.h"
#include "services/worker/cancel_book.h"
#include "services/worker/chunk_processor.h"
#include "services/worker/chunk_queue.h"
#include "services/worker/model_shelf.h"
#include "services/worker/separator.h"
#include "services/worker/watchdog.h"
#include "services/worker/worker_metrics.h"

namespace unbraid::worker {

// The inference thread: loads the models (`ModelShelf`), then takes one chunk after the other from
// the queue, computes it, and hands its results over. While they are on their way to the broker the
// next chunk is computed; the prefetch bounds how many are.
//
// Every chunk that is taken ends in one of these ways:
// * computed, or failed with a named reason: acknowledged when all its results are confirmed
// * its separation has ended: acknowledged
// * not a task: set aside among the dead letters
// * its results found no way, or its model cannot be loaded again: given back, for another try
// * the process dies: delivered again by the broker
// Results can therefore be published twice; the assembler knows them by their key.
class ChunkLoop {
 public:
  // Whom it works with. Not owned; must outlive the loop.
  struct Parts {
    BrokerLink* broker;
    ChunkQueue* queue;
    const CancelBook* cancelled;
    Watchdog* watchdog;
    WorkerMetrics* metrics;
  };

  struct Options {
    std::string worker;
    int64_t model_memory_bytes = 0;  // 0: no limit
    // How long loaded models go before one that must be loaded, while both have chunks. So a chunk
    // waits no longer than that, a load and the chunk in hand, for each model that came before its.
    absl::Duration model_turn = absl::Seconds(30);
  };

  ChunkLoop(const Options& options, std::vector<const model::Package*> packages,
            const Parts& parts);

  // Both on the inference thread. Load makes sure that all models can be used.
  absl::Status Load(const SeparatorFactory& factory);
  // Returns after the queue is closed and the chunk in hand is done. An error when a model could
  // not be loaded again; its chunk has been given back.
  absl::Status Run();

  // From any thread: waits until no result is on its way any more. False when the time is up.
  bool AwaitSettled(absl::Duration timeout);

  // From any thread, when it will not be waited for any longer: gives the chunk that is being
  // computed back to the broker.
  void GiveBackCurrent();

 private:
  absl::Status Handle(Arrival arrival);
  absl::Status Compute(const Arrival& arrival, const internal::v1::ChunkTask& task);
  std::vector<ChunkProcessor::Results> Process(ChunkProcessor* processor,
                                               const internal::v1::ChunkTask& task);
  void Log(const internal::v1::ChunkTask& task, const ChunkProcessor::Results& results,
           absl::Duration took);
  void Send(const Arrival& arrival, const internal::v1::ChunkTask& task,
            const ChunkProcessor::Results& results);
  void Settle(size_t model, amqp::DeliveryTag tag, const std::string& separation, int64_t chunk,
              const absl::Status& outcome);
  void SetCurrent(const Arrival& arrival);
  void GiveBack(absl::string_view why);

  const absl::Duration model_turn_;
  const Parts parts_;

  ModelShelf shelf_;  // of the inference thread alone

  absl::Mutex mutex_;
  // The chunk that is being computed: its model and tag.
  struct Current {
    bool is_set = false;
    size_t model = 0;
    amqp::DeliveryTag tag;
  };
  Current current_ ABSL_GUARDED_BY(mutex_);
  int unsettled_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_CHUNK_LOOP_H_
