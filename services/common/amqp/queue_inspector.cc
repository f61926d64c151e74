#include "services/common/amqp/queue_inspector.h"

#include "absl/time/clock.h"
#include "services/common/amqp/connection.h"

namespace unbraid::amqp {
namespace {

constexpr absl::Duration kRetryPause = absl::Seconds(1);

// Nobody drains this connection between two questions, so it can keep no heartbeat; the RPC timeout
// finds a dead one.
ConnectionOptions WithoutHeartbeat(ConnectionOptions options) {
  options.heartbeat = absl::ZeroDuration();
  return options;
}

}  // namespace

QueueInspector::QueueInspector(const ConnectionOptions& options)
    : options_(WithoutHeartbeat(options)) {}

QueueInspector::~QueueInspector() = default;

absl::StatusOr<QueueDepth> QueueInspector::Inspect(const std::string& queue) {
  absl::MutexLock lock(&mutex_);
  if (connection_ == nullptr) {
    if (absl::Now() < retry_at_) return last_failure_;
    absl::StatusOr<std::unique_ptr<Connection>> opened = Connection::Open(options_);
    if (!opened.ok()) {
      last_failure_ = opened.status();
      retry_at_ = absl::Now() + kRetryPause;
      return last_failure_;
    }
    connection_ = *std::move(opened);
  }
  absl::StatusOr<Connection::QueueCounts> counts = connection_->QueueSize(queue);
  if (counts.ok()) return QueueDepth{counts->ready, counts->consumers};
  connection_ = nullptr;  // after any error the channel is closed
  return counts.status();
}

}  // namespace unbraid::amqp
