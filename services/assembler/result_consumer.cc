#include "services/assembler/result_consumer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/types/span.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"

namespace unbraid::assembler {
namespace {

// Some chunks of four stems: enough for one record of several, and some tens of megabytes.
constexpr int kPrefetch = 24;
// How long a result waits for its neighbours before it is stored by itself: longer than the stems
// of a chunk, or chunks of two workers, are apart where work is fast.
constexpr absl::Duration kHold = absl::Milliseconds(500);
constexpr absl::Duration kRetryPause = absl::Seconds(1);

}  // namespace

ResultConsumer::ResultConsumer(const amqp::ConnectionOptions& broker, const std::string& name,
                               Engine* engine, base::Executor* executor,
                               const store::ObjectFolder* objects)
    // After a reconnect the broker may deliver anew what still waits here, so the bound is
    // generous; the handler drops what does not fit, and the broker brings it again.
    : engine_(engine),
      executor_(executor),
      objects_(objects),
      deliveries_(4 * kPrefetch),
      parsed_(kPrefetch) {
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
  parser_ = std::thread([this] { Parse(); });
  thread_ = std::thread([this] { Run(); });
}

ResultConsumer::~ResultConsumer() { Stop(); }

void ResultConsumer::Parse() {
  while (const std::optional<amqp::Delivery> delivery = deliveries_.Pop()) {
    absl::StatusOr<Result> result = ParseResult(delivery->body, objects_);
    if (result.ok()) {
      if (!result->fetched.ok()) {
        telemetry::Warning("cannot read the samples of a result",
                           {{"message_id", delivery->message_id}, {"error", result->fetched}});
      }
      parsed_.Push({*std::move(result), delivery->tag, base::SteadyNow()});
      continue;
    }
    telemetry::Error("dropped a message that is no result",
                     {{"message_id", delivery->message_id}, {"error", result.status()}});
    consumer_->Ack(delivery->tag);
  }
  parsed_.Close();
}

void ResultConsumer::Run() {
  while (TakeArrivals()) {
    absl::Status status = Deliver(/*all=*/false);
    if (status.ok() && MustStore()) status = Deliver(/*all=*/true);
    if (!status.ok()) AfterFailure(status);
  }
  const absl::Status status = Deliver(/*all=*/true);
  if (!status.ok()) telemetry::Warning("results stay in their queue", {{"error", status}});
}

bool ResultConsumer::TakeArrivals() {
  std::optional<Arrival> arrival =
      parsed_.Pop(held_.empty() ? absl::InfiniteDuration() : kHold - HeldFor());
  if (!arrival.has_value() && parsed_.closed()) return false;
  while (arrival.has_value()) {
    // What came over an earlier connection comes again over this one.
    if (!held_.empty() && held_.back().tag.generation != arrival->tag.generation) {
      offers_.clear();
      held_.clear();
    }
    held_.push_back({arrival->tag, arrival->came, arrival->result.object});
    offers_.push_back({std::move(arrival->result)});
    const bool full = held_.size() >= kPrefetch;
    arrival = full ? std::nullopt : parsed_.Pop(absl::ZeroDuration());
  }
  return true;
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
      consumer_->Ack(held_[i].tag);
      if (objects_ != nullptr) objects_->Remove(held_[i].object);
      continue;
    }
    if (left != i) {
      offers_[left] = std::move(offers_[i]);
      held_[left] = std::move(held_[i]);
    }
    ++left;
  }
  offers_.resize(left);
  held_.resize(left);
  return status;
}

bool ResultConsumer::MustStore() const {
  if (held_.empty()) return false;
  return held_.size() >= kPrefetch / 2 || HeldFor() >= kHold;
}

// Of the oldest, and no more than it may be.
absl::Duration ResultConsumer::HeldFor() const {
  return std::min(base::SteadyNow() - held_.front().came, kHold);
}

void ResultConsumer::AfterFailure(const absl::Status& status) {
  telemetry::Error("cannot store results; trying again",
                   {{"results", static_cast<int64_t>(offers_.size())}, {"error", status}});
  stopping_.Pause(kRetryPause);
}

void ResultConsumer::Stop() {
  stopping_.Stop();
  consumer_->Cancel();
  deliveries_.Close();
  if (parser_.joinable()) parser_.join();
  if (thread_.joinable()) thread_.join();
  consumer_->Stop();
}

}  // namespace unbraid::assembler
