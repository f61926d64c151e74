#ifndef UNBRAID_SERVICES_COMMON_AMQP_QUEUE_INSPECTOR_H_
#define UNBRAID_SERVICES_COMMON_AMQP_QUEUE_INSPECTOR_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/common/amqp/options.h"

namespace unbraid::amqp {

class Connection;

struct QueueDepth {
  int64_t ready = 0;
  int64_t consumers = 0;
};

// Looks at queues by passive declare, on a connection of its own, because asking for a queue that
// does not exist closes the channel. Thread-safe; one question at a time.
class QueueInspector {
 public:
  explicit QueueInspector(const ConnectionOptions& options);
  ~QueueInspector();

  // NOT_FOUND when there is no such queue, UNAVAILABLE when there is no broker. Waits for connect
  // and rpc timeout at most; after a failed connect it fails at once for a second.
  absl::StatusOr<QueueDepth> Inspect(const std::string& queue);

 private:
  const ConnectionOptions options_;
  absl::Mutex mutex_;
  std::unique_ptr<Connection> connection_ ABSL_GUARDED_BY(mutex_);
  absl::Status last_failure_ ABSL_GUARDED_BY(mutex_);
  absl::Time retry_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_QUEUE_INSPECTOR_H_
