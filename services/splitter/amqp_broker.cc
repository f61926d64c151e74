#include "services/splitter/amqp_broker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"

namespace unbraid::splitter {
namespace {

constexpr absl::Duration kProbeEvery = absl::Seconds(3);
constexpr char kNobody[] = "nobody";

}  // namespace

amqp::Topology SplitterTopology(const model::Catalogue& catalogue) {
  amqp::Topology topology = amqp::ControlTopology();
  for (const model::Package& package : catalogue.packages()) {
    topology.Merge(amqp::ChunkTopology(package.id()));
  }
  return topology;
}

AmqpBroker::AmqpBroker(const amqp::ConnectionOptions& options, const amqp::Topology& topology)
    : publisher_(amqp::Publisher::Create(options, topology)), inspector_(options) {}

void AmqpBroker::Publish(OutgoingChunk chunk, std::function<void(absl::Status)> done) {
  publisher_->EnsureTopology(amqp::ChunkTopology(chunk.package));
  amqp::Message message;
  message.exchange = amqp::kChunksExchange;
  message.routing_key = amqp::ChunkKey(chunk.package);
  message.message_id = std::move(chunk.message_id);
  message.body = std::move(chunk.body);
  publisher_->Publish(std::move(message), std::move(done));
}

void AmqpBroker::PublishCancel(const internal::v1::CancelNotice& notice) {
  amqp::Message message;
  message.exchange = amqp::kControlExchange;
  message.message_id = absl::StrCat("cancel.", notice.separation_id(), ".", notice.attempt());
  message.body = notice.SerializeAsString();
  message.mandatory = false;  // there may be no worker at all
  const bool handed_over =
      publisher_->TryPublish(std::move(message), [](const absl::Status& status) {
        if (!status.ok()) telemetry::Warning("cancel notice was not sent", {{"error", status}});
      });
  if (!handed_over) {
    telemetry::Warning("cancel notice was not sent", {{"error", "the broker takes nothing"}});
  }
}

BrokerState AmqpBroker::state() const {
  const amqp::ConnectionState state = publisher_->state();
  return {state.connected, state.blocked, state.message};
}

void AmqpBroker::Probe() {
  if (!publisher_->state().usable()) return;
  {
    absl::MutexLock lock(&mutex_);
    if (base::SteadyNow() - probed_ < kProbeEvery) return;
    probed_ = base::SteadyNow();
  }
  amqp::Message message;
  message.exchange = amqp::kDeadExchange;  // whichever of ours
  message.routing_key = kNobody;
  message.message_id = "probe";
  message.mandatory = false;
  (void)publisher_->TryPublish(std::move(message), [](const absl::Status&) {});
}

absl::StatusOr<QueueCounts> AmqpBroker::Chunks(const base::PackageId& package) {
  return Inspect(amqp::ChunkQueue(package));
}

absl::StatusOr<QueueCounts> AmqpBroker::Results(const std::string& assembler) {
  return Inspect(amqp::ResultQueue(assembler));
}

absl::StatusOr<QueueCounts> AmqpBroker::Inspect(const std::string& queue) {
  const absl::StatusOr<amqp::QueueDepth> depth = inspector_.Inspect(queue);
  if (absl::IsNotFound(depth.status())) return QueueCounts{};
  UNBRAID_RETURN_IF_ERROR(depth.status());
  return QueueCounts{depth->ready, depth->consumers};
}

void AmqpBroker::Stop(absl::Duration grace) {
  const absl::Status flushed = publisher_->Flush(grace);
  if (!flushed.ok()) telemetry::Warning("not all chunks were confirmed", {{"error", flushed}});
  publisher_->Stop();
}

}  // namespace unbraid::splitter
