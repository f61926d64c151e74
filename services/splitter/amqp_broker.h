#ifndef UNBRAID_SERVICES_SPLITTER_AMQP_BROKER_H_
#define UNBRAID_SERVICES_SPLITTER_AMQP_BROKER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/amqp/publisher.h"
#include "services/common/amqp/queue_inspector.h"
#include "services/common/model/catalogue.h"
#include "services/splitter/broker.h"

namespace unbraid::splitter {

// The queues of all packages of the catalogue, and the exchange of cancel notices.
amqp::Topology SplitterTopology(const model::Catalogue& catalogue);

// RabbitMQ as sink of chunks and source of depths. The queue of a package that the catalogue has no
// more is declared with its first chunk. Thread-safe.
class AmqpBroker : public ChunkSink, public QueueDepths {
 public:
  AmqpBroker(const amqp::ConnectionOptions& options, const amqp::Topology& topology);

  void Publish(OutgoingChunk chunk, std::function<void(absl::Status)> done) override;
  void PublishCancel(const internal::v1::CancelNotice& notice) override;
  BrokerState state() const override;
  void Probe() override;
  absl::StatusOr<QueueCounts> Chunks(const base::PackageId& package) override;
  absl::StatusOr<QueueCounts> Results(const std::string& assembler) override;

  // Waits for outstanding confirms, at most so long, then decides the rest as CANCELLED. May be
  // called twice.
  void Stop(absl::Duration grace);

 private:
  absl::StatusOr<QueueCounts> Inspect(const std::string& queue);

  const std::unique_ptr<amqp::Publisher> publisher_;
  amqp::QueueInspector inspector_;

  absl::Mutex mutex_;
  absl::Time probed_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_AMQP_BROKER_H_
