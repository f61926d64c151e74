#ifndef UNBRAID_SERVICES_WORKER_CHUNK_QUEUE_H_
#define UNBRAID_SERVICES_WORKER_CHUNK_QUEUE_H_

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/amqp/message.h"

namespace unbraid::worker {

// A chunk task as it came in, and the model whose queue it came from.
struct Arrival {
  size_t model = 0;  // index into the worker's models
  amqp::Delivery delivery;
  int passed_over = 0;  // how often another one went before it
  absl::Time came;      // when it was pushed, by base::SteadyNow
};

// Models that are at hand, and until when they go first, by base::SteadyNow. By default nobody
// does.
struct Turn {
  std::vector<bool> at_hand;  // by model
  absl::Time until = absl::InfinitePast();
};

// How chunks are put together into batches.
struct BatchRule {
  std::vector<int> most;  // chunks of a batch, by model; 1 for one that is not named
  // How long a batch that is not full waits for more, from when its first chunk came.
  absl::Duration wait;
  // Give nothing instead of waiting, be it for a first chunk or for more.
  bool at_once = false;
};

// Chunks that wait for the inference thread. Bounded by the prefetch of the consumers: when a
// connection is new, what came over the old one is dropped, since the broker delivers it again.
//
// A chunk whose delivery has failed before may be the one that ends every worker, and whatever
// waits beside it then counts one more failed delivery too. So those with fewer failures go first,
// a few times over, and of two that failed equally often, each second time the later one: the
// innocent gets its chance before the guilty ends the process again. For that, one that comes alone
// waits a moment for company.
//
// Among chunks without failures those of models at hand go first, and are waited for as well, so
// that a model is not loaded for one chunk while another one is in the midst of its work; when the
// turn is over, whichever came first goes.
//
// A batch holds chunks of one model and of any separations, as they came; one whose delivery has
// failed before is always alone, so that if it ends the process again nobody else is blamed.
// Thread-safe.
class ChunkQueue {
 public:
  void Push(Arrival arrival);

  // Waits for the next batch; nothing after Close(), until which all of it stays in the queue.
  std::vector<Arrival> Pop(const Turn& turn = {}, const BatchRule& rule = {});

  // Waits until Close(). False when the time is up.
  bool AwaitClosed(absl::Duration timeout) const;

  // Pop gives nothing any more; what waits, and what still comes in, is for TakeAll.
  void Close();

  // What waits, to be given back.
  std::vector<Arrival> TakeAll();

 private:
  // Whether what waits had better wait a moment longer.
  bool WantsCompany(const Turn& turn) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::deque<Arrival>::iterator Next(const Turn& turn) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the batch that begins with the next one is as large as it may be.
  bool IsFull(const Turn& turn, const BatchRule& rule) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Arrival> TakeBatch(const Turn& turn, const BatchRule& rule)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::deque<Arrival> waiting_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_CHUNK_QUEUE_H_
