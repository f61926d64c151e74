#ifndef UNBRAID_SERVICES_WORKER_AMQP_LINK_H_
#define UNBRAID_SERVICES_WORKER_AMQP_LINK_H_

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/common/amqp/consumer.h"
#include "services/common/amqp/options.h"
#include "services/common/amqp/publisher.h"
#include "services/common/base/package_id.h"
#include "services/worker/broker_link.h"
#include "services/worker/cancel_book.h"
#include "services/worker/chunk_queue.h"

namespace unbraid::worker {

// The worker's connections: one that publishes results, one for each package's queue, one for
// cancel notices. All reconnect by themselves. Thread-safe.
class AmqpLink : public BrokerLink {
 public:
  // Begins to listen to cancel notices at once. `queue` and `book` are not owned.
  AmqpLink(const amqp::ConnectionOptions& options, ChunkQueue* queue, CancelBook* book);
  // Stops.
  ~AmqpLink() override;

  // Begins to take chunks of these packages, at most `prefetch` unacknowledged ones of each. Once;
  // not after StopConsuming.
  void Consume(const std::vector<base::PackageId>& packages, int prefetch);

  // OK while chunks can come and results can go.
  absl::Status Ready() const;

  void Publish(Outgoing result, std::function<void(absl::Status)> done) override;
  void Ack(size_t model, amqp::DeliveryTag tag) override;
  void Nack(size_t model, amqp::DeliveryTag tag, bool requeue) override;

  // Takes no more chunks, and gives back those in the queue, which must be closed. Only when the
  // broker has been told: what is given back earlier would come here again.
  void StopConsuming();

  // Results that are not confirmed are given up (their chunks are delivered again); then the acks
  // that are left are sent and the connections closed. May be called twice.
  void Stop();

 private:
  using Consumers = std::vector<std::unique_ptr<amqp::Consumer>>;

  void OnNotice(const amqp::Delivery& delivery);
  const Consumers* consumers() const;

  const amqp::ConnectionOptions options_;
  ChunkQueue* const queue_;
  CancelBook* const book_;

  const std::unique_ptr<amqp::Publisher> publisher_;
  const std::unique_ptr<amqp::Consumer> notices_;

  mutable absl::Mutex mutex_;
  // Set once, and then constant: the inference thread reaches the consumers without the lock held.
  std::unique_ptr<const Consumers> consumers_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<std::string> assemblers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_AMQP_LINK_H_
