#include "services/splitter/dead_letters.h"

#include <optional>
#include <utility>

#include "services/common/grpc/channel.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/poison.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::splitter {
namespace {

constexpr int kPrefetch = 4;  // bodies are large

}  // namespace

DeadLetters::DeadLetters(const amqp::ConnectionOptions& options, const amqp::Topology& topology,
                         const JobStore* jobs, FailureReporter* failures, base::Executor* calls)
    : jobs_(jobs), failures_(failures), calls_(calls) {
  amqp::ConsumerOptions consumer;
  consumer.queue = amqp::kDeadChunksQueue;
  consumer.prefetch = kPrefetch;
  consumer_ = amqp::Consumer::Create(options, topology, consumer, [this](amqp::Delivery delivery) {
    // After Stop() of the executor it stays unacknowledged, and comes again.
    (void)calls_->Post([this, delivery = std::move(delivery)] { Handle(delivery); });
  });
  ready_.Notify();
}

void DeadLetters::Handle(const amqp::Delivery& delivery) {
  ready_.WaitForNotification();  // the first delivery may come before the constructor is done
  internal::v1::ChunkTask task;
  if (!task.ParseFromString(delivery.body)) {
    telemetry::Error("dead letter is no chunk", {{"message_id", delivery.message_id}});
    return consumer_->Ack(delivery.tag);
  }
  const absl::StatusOr<std::optional<Job>> job =
      jobs_->Find(base::SeparationId(task.separation_id()));
  const std::optional<Job> known = job.ok() ? *job : std::nullopt;
  const std::string owner = task.owner().empty() ? grpc_util::kDefaultOwner : task.owner();
  failures_->Report(owner, PoisonFailure(task, known),
                    [this, tag = delivery.tag] { consumer_->Ack(tag); });
}

}  // namespace unbraid::splitter
