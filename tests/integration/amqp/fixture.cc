#include "tests/integration/amqp/fixture.h"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace unbraid::amqp {

test_support::Broker& SharedBroker() {
  static const std::unique_ptr<test_support::Broker> broker = [] {
    absl::StatusOr<std::unique_ptr<test_support::Broker>> started = test_support::Broker::Start();
    if (!started.ok()) throw std::runtime_error(started.status().ToString());
    return *std::move(started);
  }();
  return *broker;
}

ConnectionOptions Options() { return OptionsVia(SharedBroker().port()); }

ConnectionOptions OptionsVia(int port) {
  ConnectionOptions options;
  options.host = SharedBroker().host();
  options.port = port;
  options.user = SharedBroker().user();
  options.password = SharedBroker().password();
  options.client_name = "test";
  options.heartbeat = absl::Seconds(2);
  options.backoff_min = absl::Milliseconds(20);
  options.backoff_max = absl::Milliseconds(300);
  return options;
}

std::string UniqueName(const std::string& prefix) {
  std::random_device device;
  return absl::StrFormat("%s-%08x%08x", prefix, device(), device());
}

Route::Route() : exchange(UniqueName("exchange")), queue(UniqueName("queue")) {
  topology.exchanges = {{exchange, "direct"}};
  topology.queues = {{queue, /*delivery_limit=*/100, "", ""}};
  topology.bindings = {{exchange, queue, key}};
}

Message Route::To(std::string body, std::string message_id) const {
  return {exchange, key, std::move(body), std::move(message_id)};
}

bool Eventually(const std::function<bool()>& so, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (!so()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return true;
}

std::function<void(Delivery)> Inbox::handler() {
  return [this](Delivery delivery) {
    absl::MutexLock lock(&mutex_);
    deliveries_.push_back(std::move(delivery));
  };
}

std::vector<Delivery> Inbox::Await(size_t count, absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return deliveries_.size() >= count;
  };
  mutex_.AwaitWithTimeout(absl::Condition(&enough), limit);
  const auto taken = std::min(count, deliveries_.size());
  return {deliveries_.begin(), deliveries_.begin() + static_cast<std::ptrdiff_t>(taken)};
}

Delivery Inbox::At(size_t index, absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  const auto there = [this, index]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return deliveries_.size() > index;
  };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&there), limit)) return {};
  return deliveries_[index];
}

size_t Inbox::size() const {
  absl::MutexLock lock(&mutex_);
  return deliveries_.size();
}

std::function<void(absl::Status)> Outcomes::Next() {
  return [this](absl::Status status) {
    absl::MutexLock lock(&mutex_);
    outcomes_.push_back(std::move(status));
  };
}

std::vector<absl::Status> Outcomes::Await(size_t count, absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return outcomes_.size() >= count;
  };
  mutex_.AwaitWithTimeout(absl::Condition(&enough), limit);
  return outcomes_;
}

bool AllOk(const std::vector<absl::Status>& statuses) {
  return std::all_of(statuses.begin(), statuses.end(),
                     [](const absl::Status& status) { return status.ok(); });
}

}  // namespace unbraid::amqp
