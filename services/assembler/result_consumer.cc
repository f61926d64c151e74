#include "services/assembler/result_consumer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "services/common/telemetry/log.h"

namespace unbraid::assembler {
namespace {

constexpr int kPrefetch = 16;
// How long a result waits for its neighbours before it is stored by itself: longer than the stems
// of a chunk are apart, shorter than anybody notices.
constexpr absl::Duration kHold = absl::Milliseconds(250);
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
  while (TakeDeliveries()) {
    absl::Status status = Deliver(/*all=*/false);
    if (status.ok() && MustStore()) status = Deliver(/*all=*/true);
    if (!status.ok()) AfterFailure(status);
  }
  const absl::Status status = Deliver(/*all=*/true);
  if (!status.ok()) telemetry::Warning("results stay in their queue", {{"error", status}});
}

bool ResultConsumer::TakeDeliveries() {
  const absl::Duration patience =
      arrivals_.empty() ? absl::InfiniteDuration() : kHold - (absl::Now() - arrivals_.front().came);
  std::optional<amqp::Delivery> delivery =
      deliveries_.Pop(std::max(patience, absl::ZeroDuration()));
  if (!delivery.has_value() && deliveries_.closed()) return false;
  while (delivery.has_value()) {
    Take(*delivery);
    const bool full = offers_.size() >= kPrefetch;
    delivery = full ? std::nullopt : deliveries_.Pop(absl::ZeroDuration());
  }
  return true;
}

void ResultConsumer::Take(const amqp::Delivery& delivery) {
  absl::StatusOr<Result> result = ParseResult(delivery.body);
  if (result.ok()) {
    offers_.push_back({*std::move(result)});
    arrivals_.push_back({delivery.tag, absl::Now()});
    return;
  }
  telemetry::Error("dropped a message that is no result",
                   {{"message_id", delivery.message_id}, {"error", result.status()}});
  consumer_->Ack(delivery.tag);
}

absl::Status ResultConsumer::Deliver(bool all) {
  if (offers_.empty()) return absl::OkStatus();
  absl::Notification done;
  absl::Status status;
  const bool posted = executor_->Post([&] {
    status = engine_->OnResults(absl::MakeSpan(offers_), all);
    done.Notify();
  });
  if (!posted) return absl::CancelledError("the engine has stopped");
  done.WaitForNotification();
  size_t left = 0;
  for (size_t i = 0; i < offers_.size(); ++i) {
    if (offers_[i].taken) {
      consumer_->Ack(arrivals_[i].tag);
      continue;
    }
    if (left != i) {
      offers_[left] = std::move(offers_[i]);
      arrivals_[left] = arrivals_[i];
    }
    ++left;
  }
  offers_.resize(left);
  arrivals_.resize(left);
  return status;
}

bool ResultConsumer::MustStore() const {
  if (arrivals_.empty()) return false;
  return arrivals_.size() >= kPrefetch / 2 || absl::Now() - arrivals_.front().came >= kHold;
}

void ResultConsumer::AfterFailure(const absl::Status& status) {
  telemetry::Error("cannot store results; trying again",
                   {{"results", static_cast<int64_t>(offers_.size())}, {"error", status}});
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kRetryPause);
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
