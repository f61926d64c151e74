#ifndef UNBRAID_SERVICES_WORKER_CHUNK_LOOP_H_
#define UNBRAID_SERVICES_WORKER_CHUNK_LOOP_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/worker/broker_link.h"
#include "services/worker/cancel_book.h"
#include "services/worker/chunk_processor.h"
#include "services/worker/chunk_queue.h"
#include "services/worker/executor.h"
#include "services/worker/hand_over.h"
#include "services/worker/model_shelf.h"
#include "services/worker/task_intake.h"
#include "services/worker/watchdog.h"
#include "services/worker/worker_metrics.h"

namespace unbraid::worker {

// The inference thread: loads the models (`ModelShelf`), then takes one batch of chunks after the
// other from the queue, computes it, and hands the results over. While they are on their way to the
// broker the next batch is computed, and where the device can take in one batch beside another,
// the next one is begun before; the prefetch bounds how many are. Each chunk of a batch has
// results and an end of its own.
//
// Every chunk that is taken ends in one of these ways:
// * computed, or failed with a named reason: acknowledged when all its results are confirmed
// * its separation has ended: acknowledged
// * not a task: set aside among the dead letters
// * its results found no way, its model cannot be loaded again, or the device's memory does not do
//   for one chunk: given back, for another try
// * the process dies, or ends because the device is lost: delivered again by the broker, which
//   counts it as a failed delivery
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
    // Where samples lie that do not come with their task; null: nowhere.
    const store::ObjectFolder* objects = nullptr;
  };

  struct Options {
    std::string worker;
    int64_t model_memory_bytes = 0;  // 0: no limit
    // How long loaded models go before one that must be loaded, while both have chunks. So a chunk
    // waits no longer than that, a load and the batch in hand, for each model that came before its.
    absl::Duration model_turn = absl::Seconds(30);
    int batch = 1;  // chunks that are computed together at most
    absl::Duration batch_wait = absl::ZeroDuration();
    // How long nothing is computed after the device's memory did not do for one chunk. The third
    // time in a row ends the loop.
    absl::Duration memory_pause = absl::Seconds(5);
  };

  ChunkLoop(const Options& options, std::vector<const model::Package*> packages,
            const Parts& parts);

  // Both on the inference thread. Load makes sure that all models can be used.
  absl::Status Load(const ExecutorFactory& factory);
  // Returns after the queue is closed and what was begun is done. An error when a model could
  // not be loaded again, or the device has no memory for long, whose chunks have been given back;
  // or when the device is lost: its chunks must be left to the broker, so end the connection.
  absl::Status Run();

  // How many batches may be on the device at a time. Only after Load.
  int slots() const { return shelf_.slots(); }

  // From any thread: UNAVAILABLE while the device's memory does not do.
  absl::Status Ready() const;

  // From any thread: waits until no result is on its way any more. False when the time is up.
  bool AwaitSettled(absl::Duration timeout) { return hand_over_.AwaitSettled(timeout); }

  // From any thread, when it will not be waited for any longer: gives the chunks that are being
  // computed back to the broker.
  void GiveBackCurrent() { hand_over_.GiveBack("the grace period is over"); }

 private:
  // Chunks of one model that are computed together.
  struct Batch {
    std::vector<internal::v1::ChunkTask> tasks;
    std::vector<Receipt> receipts;  // by task
    bool suspect = false;           // alone, since it may end the process
    ChunkProcessor* processor = nullptr;
    absl::Time begun;

    size_t model() const { return receipts.front().model; }
  };

  Batch Accept(std::vector<Arrival> arrivals) const;
  absl::Status Compute(Batch batch);
  absl::Status EndFirst();
  absl::Status EndAll();
  absl::Status OnTrouble(const absl::Status& trouble);
  void SetStarved(const absl::Status& starved);
  void Finish(const Batch& batch, std::vector<ChunkProcessor::Results> results);
  void Log(const internal::v1::ChunkTask& task, const ChunkProcessor::Results& results,
           double seconds);

  const Options options_;
  const Parts parts_;
  const TaskIntake intake_;
  HandOver hand_over_;

  // Of the inference thread alone.
  ModelShelf shelf_;
  std::deque<Batch> begun_;
  absl::Time last_ended_ = absl::InfinitePast();
  int times_starved_ = 0;  // in a row

  mutable absl::Mutex mutex_;
  absl::Status starved_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_CHUNK_LOOP_H_
