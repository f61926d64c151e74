#ifndef UNBRAID_SERVICES_COMMON_AMQP_QUEUE_INSPECTOR_H_
#define UNBRAID_SERVICES_COMMON_AMQP_QUEUE_INSPECTOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/amqp/options.h"

namespace unbraid::amqp {

class Connection;
class IoThread;

struct QueueDepth {
  // Messages that wait for a consumer; what consumers hold unacknowledged is not counted.
  int64_t ready = 0;
  int64_t consumers = 0;
};

// Looks at queues by passive declare, on a connection and a thread of its own: asking for a queue
// that does not exist closes the channel, and nothing else must suffer from that. Thread-safe.
class QueueInspector {
 public:
  // Begins to connect in the background.
  explicit QueueInspector(const ConnectionOptions& options);
  // Stops.
  ~QueueInspector();
  QueueInspector(const QueueInspector&) = delete;
  QueueInspector& operator=(const QueueInspector&) = delete;

  // Asks and waits.
  //   NOT_FOUND          there is no such queue
  //   UNAVAILABLE        there is no broker: at once when the last attempt to connect has failed
  //   DEADLINE_EXCEEDED  no answer within `timeout`
  //   CANCELLED          Stop() was called
  absl::StatusOr<QueueDepth> Inspect(const std::string& queue,
                                     absl::Duration timeout = absl::Seconds(5));

  ConnectionState state() const;

  // Answers those who wait with CANCELLED and ends the thread. May be called twice.
  void Stop();

 private:
  struct Question {
    std::string queue;
    bool answered = false;
    absl::StatusOr<QueueDepth> answer;
  };

  absl::StatusOr<absl::Duration> Work(Connection* connection);
  void Answer(const std::shared_ptr<Question>& question, absl::StatusOr<QueueDepth> answer);
  void AnswerAll(const absl::Status& why);

  absl::Mutex mutex_;
  std::vector<std::shared_ptr<Question>> questions_ ABSL_GUARDED_BY(mutex_);
  absl::Status unreachable_ ABSL_GUARDED_BY(mutex_);  // OK: connected, or not tried yet
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;

  std::unique_ptr<IoThread> io_;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_QUEUE_INSPECTOR_H_
