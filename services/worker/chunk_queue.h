#ifndef UNBRAID_SERVICES_WORKER_CHUNK_QUEUE_H_
#define UNBRAID_SERVICES_WORKER_CHUNK_QUEUE_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/common/amqp/message.h"

namespace unbraid::worker {

// A chunk task as it came in, and the model whose queue it came from.
struct Arrival {
  size_t model = 0;  // index into the worker's models
  amqp::Delivery delivery;
  int passed_over = 0;  // how often another one went before it
};

// Chunks that wait for the inference thread. Bounded by the prefetch of the consumers: when a
// connection is new, what came over the old one is dropped, since the broker delivers it again.
//
// A chunk whose delivery has failed before may be the one that ends every worker, and whatever
// waits beside it then counts one more failed delivery too. So those with fewer failures go first,
// a few times over, and of two that failed equally often, each second time the later one: the
// innocent gets its chance before the guilty ends the process again. For that, one that comes alone
// waits a moment for company. Thread-safe.
class ChunkQueue {
 public:
  void Push(Arrival arrival);

  // Waits for the next one; nothing after Close().
  std::optional<Arrival> Pop();

  // Pop gives nothing any more; what waits, and what still comes in, is for TakeAll.
  void Close();

  // What waits, to be given back.
  std::vector<Arrival> TakeAll();

 private:
  std::deque<Arrival>::iterator Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::deque<Arrival> waiting_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_CHUNK_QUEUE_H_
