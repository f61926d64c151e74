#include "services/assembler/result_consumer.h"

#include <utility>

#include "absl/synchronization/notification.h"
#include "services/common/telemetry/log.h"

namespace unbraid::assembler {
namespace {

constexpr int kPrefetch = 16;
constexpr absl::Duration kRetryPause = absl::Seconds(1);

}  // namespace

ResultConsumer::ResultConsumer(const amqp::ConnectionOptions& broker, const std::string& name,
                               Engine* engine, base::Executor* executor)
    // After a reconnect the broker may deliver anew what still waits here, so the bound is
    // generous; the handler drops what does not fit, and the broker brings it again.
    : engine_(engine), executor_(executor), deliveries_(4 * kPrefetch) {
  amqp::ConsumerOptions options;
  options.queue = amqp::ResultQueue(name);
  options.prefetch = kPrefetch;
  consumer_ = amqp::Consumer::Create(broker, amqp::ResultTopology(name), options,
                                     [this](amqp::Delivery delivery) {
                                       const amqp::DeliveryTag tag = delivery.tag;
                                       if (!deliveries_.TryPush(std::move(delivery))) {
                                         consumer_->Nack(tag, /*requeue=*/true);
                                       }
                                     });
  thread_ = std::thread([this] { Run(); });
}

ResultConsumer::~ResultConsumer() { Stop(); }

void ResultConsumer::Run() {
  while (std::optional<amqp::Delivery> delivery = deliveries_.Pop()) Handle(*delivery);
}

void ResultConsumer::Handle(const amqp::Delivery& delivery) {
  const absl::StatusOr<Result> result = ParseResult(delivery.body);
  if (!result.ok()) {
    telemetry::Error("dropped a message that is no result",
                     {{"message_id", delivery.message_id}, {"error", result.status()}});
    consumer_->Ack(delivery.tag);
    return;
  }
  while (true) {
    const absl::Status status = Deliver(*result);
    if (status.ok()) return consumer_->Ack(delivery.tag);
    telemetry::Error(
        "cannot store a result; trying again",
        {{"separation", result->id.ToString()}, {"chunk", result->chunk}, {"error", status}});
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kRetryPause);
    if (stopping_) return;
  }
}

absl::Status ResultConsumer::Deliver(const Result& result) {
  absl::Notification done;
  absl::Status status;
  const bool posted = executor_->Post([&] {
    status = engine_->OnResult(result);
    done.Notify();
  });
  if (!posted) return absl::CancelledError("the engine has stopped");
  done.WaitForNotification();
  return status;
}

void ResultConsumer::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  consumer_->Cancel();
  deliveries_.Close();
  if (thread_.joinable()) thread_.join();
  consumer_->Stop();
}

}  // namespace unbraid::assembler
