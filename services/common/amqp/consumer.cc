#include "services/common/amqp/consumer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/common/amqp/connection.h"
#include "services/common/amqp/io_thread.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"

namespace unbraid::amqp {
namespace {

constexpr absl::Duration kLastAcks = absl::Seconds(2);
// Messages that wait at one look may have come just then; at another one so much later they have
// not.
constexpr absl::Duration kSecondLook = absl::Seconds(1);

}  // namespace

std::unique_ptr<Consumer> Consumer::Create(const ConnectionOptions& options,
                                           const Topology& topology,
                                           const ConsumerOptions& consumer_options,
                                           std::function<void(Delivery)> handler) {
  std::unique_ptr<Consumer> consumer(
      new Consumer(options, topology, consumer_options, std::move(handler)));
  consumer->io_->Start();
  return consumer;
}

Consumer::Consumer(const ConnectionOptions& options, const Topology& topology,
                   const ConsumerOptions& consumer_options, std::function<void(Delivery)> handler)
    : topology_(topology), consumer_options_(consumer_options), handler_(std::move(handler)) {
  IoThread::Callbacks callbacks;
  callbacks.connected = [this](Connection* connection) {
    const uint64_t generation = io_->state().generation;
    {
      absl::MutexLock lock(&mutex_);
      generation_ = generation;
    }
    return Begin(connection);
  };
  callbacks.work = [this](Connection* connection) { return Work(connection); };
  callbacks.disconnected = [this](const absl::Status&) { OnDisconnected(); };
  callbacks.events.delivered = [this](Delivery delivery) { OnDelivered(std::move(delivery)); };
  callbacks.events.consumer_cancelled = [this] {
    consumer_tag_.clear();
    begin_again_ = true;
  };
  io_ = std::make_unique<IoThread>(options, std::move(callbacks));
}

Consumer::~Consumer() { Stop(); }

void Consumer::OnDelivered(Delivery delivery) {
  overlooked_ = false;
  {
    absl::MutexLock lock(&mutex_);
    delivery.tag.generation = generation_;
    if (!consumer_options_.queue.empty()) unsettled_.insert(delivery.tag.value);
  }
  handler_(std::move(delivery));
}

absl::Status Consumer::Begin(Connection* connection) {
  begin_again_ = false;
  UNBRAID_RETURN_IF_ERROR(connection->Declare(topology_));
  const bool own = consumer_options_.queue.empty();
  std::string queue = consumer_options_.queue;
  if (own) {
    UNBRAID_ASSIGN_OR_RETURN(queue, connection->DeclareOwnQueue(consumer_options_.fanout_exchange));
  }
  {
    absl::MutexLock lock(&mutex_);
    if (cancel_wanted_) return absl::OkStatus();
  }
  UNBRAID_ASSIGN_OR_RETURN(consumer_tag_,
                           connection->Consume(queue, consumer_options_.prefetch, !own));
  quiet_since_ = base::SteadyNow();
  absl::MutexLock lock(&mutex_);
  consuming_ = true;
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> Consumer::Work(Connection* connection) {
  UNBRAID_RETURN_IF_ERROR(SendActions(connection));
  if (begin_again_) UNBRAID_RETURN_IF_ERROR(Begin(connection));
  bool cancel = false;
  {
    absl::MutexLock lock(&mutex_);
    cancel = cancel_wanted_;
  }
  if (cancel && !consumer_tag_.empty()) {
    UNBRAID_RETURN_IF_ERROR(connection->CancelConsumer(std::exchange(consumer_tag_, "")));
    absl::MutexLock lock(&mutex_);
    consuming_ = false;
  }
  return LookForForgetting(connection);
}

absl::StatusOr<absl::Duration> Consumer::LookForForgetting(Connection* connection) {
  if (consumer_options_.queue.empty() || consumer_tag_.empty()) return absl::InfiniteDuration();
  const absl::Time now = base::SteadyNow();
  {
    absl::MutexLock lock(&mutex_);
    // What it holds may be all that it may have.
    if (!unsettled_.empty()) quiet_since_ = now;
  }
  quiet_since_ = std::max(quiet_since_, connection->last_frame());
  const absl::Duration pause =
      (overlooked_ ? kSecondLook : consumer_options_.look_after) - (now - quiet_since_);
  if (pause > absl::ZeroDuration()) return pause;
  const absl::StatusOr<Connection::QueueCounts> counts =
      connection->QueueSize(consumer_options_.queue);
  if (!counts.ok() && !absl::IsNotFound(counts.status())) return counts.status();
  if (!counts.ok() || (counts->ready > 0 && overlooked_)) {
    return absl::UnavailableError(
        absl::StrCat("the broker has forgotten the consumer of ", consumer_options_.queue));
  }
  overlooked_ = counts->ready > 0;
  quiet_since_ = base::SteadyNow();
  return absl::ZeroDuration();  // what came meanwhile is handled before the next look
}

absl::Status Consumer::SendActions(Connection* connection) {
  std::vector<Action> actions;
  {
    absl::MutexLock lock(&mutex_);
    actions.swap(actions_);
  }
  if (!actions.empty()) quiet_since_ = base::SteadyNow();
  for (const Action& action : actions) {
    UNBRAID_RETURN_IF_ERROR(action.ack ? connection->Ack(action.tag.value)
                                       : connection->Nack(action.tag.value, action.requeue));
  }
  absl::MutexLock lock(&mutex_);
  drained_ = actions_.empty();
  return absl::OkStatus();
}

void Consumer::OnDisconnected() {
  consumer_tag_.clear();
  overlooked_ = false;
  absl::MutexLock lock(&mutex_);
  consuming_ = false;
  generation_ = 0;
  unsettled_.clear();
  actions_.clear();
  drained_ = true;
}

void Consumer::Enqueue(Action action) {
  {
    absl::MutexLock lock(&mutex_);
    // A tag of an older connection, or one used twice, would close the channel.
    if (action.tag.generation != generation_ || unsettled_.erase(action.tag.value) == 0) return;
    actions_.push_back(action);
    drained_ = false;
  }
  io_->Wake();
}

void Consumer::Ack(DeliveryTag tag) { Enqueue({tag, true, false}); }

void Consumer::Nack(DeliveryTag tag, bool requeue) { Enqueue({tag, false, requeue}); }

void Consumer::Cancel() {
  {
    absl::MutexLock lock(&mutex_);
    cancel_wanted_ = true;
  }
  io_->Wake();
}

ConnectionState Consumer::state() const { return io_->state(); }

bool Consumer::consuming() const {
  absl::MutexLock lock(&mutex_);
  return consuming_;
}

void Consumer::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&drained_), kLastAcks);
  }
  io_->Stop();
}

}  // namespace unbraid::amqp
