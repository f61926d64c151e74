#include "services/common/amqp/publisher.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/common/amqp/connection.h"
#include "services/common/amqp/io_thread.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"

namespace unbraid::amqp {
namespace {

constexpr size_t kMaxUndecidedBytes = 64U << 20;
constexpr int kMaxReturns = 5;
constexpr absl::Duration kRefusedPause = absl::Milliseconds(500);
constexpr absl::Duration kReturnedPause = absl::Milliseconds(200);

absl::Status Stopped() { return absl::CancelledError("the publisher has been stopped"); }

}  // namespace

std::unique_ptr<Publisher> Publisher::Create(const ConnectionOptions& options,
                                             const Topology& topology) {
  std::unique_ptr<Publisher> publisher(new Publisher(options, topology));
  publisher->io_->Start();
  return publisher;
}

Publisher::Publisher(const ConnectionOptions& options, const Topology& topology)
    : options_(options), topology_(topology), completions_("amqp-confirms", 1) {
  IoThread::Callbacks callbacks;
  callbacks.connected = [this](Connection* connection) { return OnConnected(connection); };
  callbacks.work = [this](Connection* connection) { return Work(connection); };
  callbacks.disconnected = [this](const absl::Status&) { OnDisconnected(); };
  callbacks.events.acked = [this](uint64_t sequence, bool multiple) {
    OnOutcome(window_.Acked(sequence, multiple));
  };
  callbacks.events.nacked = [this](uint64_t sequence, bool multiple) {
    OnOutcome(window_.Nacked(sequence, multiple));
  };
  callbacks.events.returned = [this](uint64_t sequence) { window_.Returned(sequence); };
  callbacks.events.blocked = [this](bool blocked, const std::string&) {
    blocked_ = blocked;
    unblocked_at_ = base::SteadyNow();
  };
  io_ = std::make_unique<IoThread>(options, std::move(callbacks));
}

Publisher::~Publisher() { Stop(); }

void Publisher::Publish(Message message, std::function<void(absl::Status)> done) {
  HandOver(std::move(message), std::move(done), absl::InfiniteFuture());
}

bool Publisher::TryPublish(Message message, std::function<void(absl::Status)> done) {
  return HandOver(std::move(message), std::move(done), absl::InfinitePast(), kMaxUndecided / 2);
}

bool Publisher::HandOver(Message message, std::function<void(absl::Status)> done,
                         absl::Time deadline, size_t most) {
  const absl::Status checked = CheckMessage(message);
  if (!checked.ok()) {
    Complete(std::move(done), checked);
    return true;
  }
  bool stopped = false;
  {
    absl::MutexLock lock(&mutex_);
    const auto ready = [this, most]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return stopped_ || (undecided_ < most && undecided_bytes_ < kMaxUndecidedBytes);
    };
    if (!mutex_.AwaitWithDeadline(absl::Condition(&ready), deadline)) return false;
    stopped = stopped_;
    if (!stopped) {
      ++undecided_;
      undecided_bytes_ += message.body.size();
      open_.insert(++last_ticket_);
      waiting_.push_back({std::move(message), std::move(done), last_ticket_});
    }
  }
  if (stopped) {
    done(Stopped());  // NOLINT(bugprone-use-after-move): it was moved only if not stopped
  } else {
    io_->Wake();
  }
  return true;
}

absl::Status Publisher::CheckMessage(const Message& message) const {
  if (message.body.size() > options_.max_message_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("a message of ", message.body.size(),
                                                     " bytes is larger than the broker's ",
                                                     options_.max_message_bytes));
  }
  absl::MutexLock lock(&mutex_);
  for (const Exchange& exchange : topology_.exchanges) {
    if (exchange.name == message.exchange) return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the exchange ", message.exchange, " is not declared by this publisher"));
}

void Publisher::Complete(std::function<void(absl::Status)> done, absl::Status status) {
  if (!completions_.Post([done, status] { done(status); })) done(status);
}

absl::Status Publisher::PublishAndWait(Message message, absl::Duration timeout) {
  struct Answer {
    absl::Notification arrived;
    absl::Status status;
  };
  auto answer = std::make_shared<Answer>();  // outlives this call when the time is up
  const absl::Time deadline = absl::Now() + timeout;
  const auto take = [answer](absl::Status status) {
    answer->status = std::move(status);
    answer->arrived.Notify();
  };
  const bool taken = HandOver(std::move(message), take, deadline);
  if (taken && answer->arrived.WaitForNotificationWithDeadline(deadline)) return answer->status;
  const std::string problem = state().message;
  return absl::DeadlineExceededError(
      absl::StrCat("the broker has not confirmed in time", problem.empty() ? "" : ": ", problem));
}

absl::Status Publisher::Flush(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const uint64_t last = last_ticket_;
  const auto decided = [this, last]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return open_.empty() || *open_.begin() > last;
  };
  if (mutex_.AwaitWithTimeout(absl::Condition(&decided), timeout)) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat(open_.size(), " messages are not confirmed yet"));
}

void Publisher::EnsureTopology(const Topology& topology) {
  {
    absl::MutexLock lock(&mutex_);
    if (!topology_.Merge(topology)) return;
    topology_changed_ = true;
  }
  io_->Wake();
}

ConnectionState Publisher::state() const { return io_->state(); }

void Publisher::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  io_->Stop();  // its last act puts everything unconfirmed back among the waiting
  std::vector<Outgoing> left;
  {
    absl::MutexLock lock(&mutex_);
    for (Outgoing& outgoing : waiting_) left.push_back(std::move(outgoing));
    for (auto& [time, outgoing] : delayed_) left.push_back(std::move(outgoing));
    waiting_.clear();
    delayed_.clear();
  }
  for (Outgoing& outgoing : left) Decide(std::move(outgoing), Stopped());
  completions_.Stop();
}

absl::Status Publisher::OnConnected(Connection* connection) {
  blocked_ = false;
  Topology topology;
  {
    absl::MutexLock lock(&mutex_);
    topology = topology_;
    topology_changed_ = false;
  }
  UNBRAID_RETURN_IF_ERROR(connection->Declare(topology));
  return connection->SelectConfirms();
}

absl::StatusOr<absl::Duration> Publisher::Work(Connection* connection) {
  Topology changed;
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(topology_changed_, false)) changed = topology_;
    TakeDue();
  }
  UNBRAID_RETURN_IF_ERROR(connection->Declare(changed));
  UNBRAID_RETURN_IF_ERROR(SendWaiting(connection));
  UNBRAID_RETURN_IF_ERROR(CheckConfirms());
  return LongestSleep();
}

absl::Status Publisher::CheckConfirms() const {
  if (blocked_) return absl::OkStatus();
  const absl::Duration silence = base::SteadyNow() - std::max(window_.oldest(), unblocked_at_);
  if (silence < options_.publish_timeout) return absl::OkStatus();
  return absl::UnavailableError("the broker has not confirmed a message for long");
}

void Publisher::TakeDue() {
  const absl::Time now = base::SteadyNow();
  for (auto entry = delayed_.begin(); entry != delayed_.end();) {
    if (entry->first > now) {
      ++entry;
      continue;
    }
    waiting_.push_back(std::move(entry->second));
    entry = delayed_.erase(entry);
  }
}

absl::Duration Publisher::LongestSleep() const {
  absl::MutexLock lock(&mutex_);
  if (topology_changed_) return absl::ZeroDuration();
  absl::Time first = absl::InfiniteFuture();
  for (const auto& [time, outgoing] : delayed_) first = std::min(first, time);
  return std::max(first - base::SteadyNow(), absl::ZeroDuration());
}

absl::Status Publisher::SendWaiting(Connection* connection) {
  Outgoing next;
  while (!blocked_ && TakeNext(&next)) {
    const absl::Status status = connection->Publish(next.message, window_.next_sequence());
    // Also after an error: then it is among those that are sent again.
    window_.Sent(std::move(next), base::SteadyNow());
    UNBRAID_RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

bool Publisher::TakeNext(Outgoing* next) {
  absl::MutexLock lock(&mutex_);
  // A new topology comes before the messages that need it.
  if (waiting_.empty() || topology_changed_) return false;
  *next = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

void Publisher::OnOutcome(ConfirmWindow::Outcome outcome) {
  for (Outgoing& outgoing : outcome.confirmed) Decide(std::move(outgoing), absl::OkStatus());
  for (Outgoing& outgoing : outcome.refused) Delay(std::move(outgoing), kRefusedPause);
  for (Outgoing& outgoing : outcome.unwanted) {
    if (outgoing.returns >= kMaxReturns) {
      const std::string what =
          absl::StrCat("no queue takes messages of ", outgoing.message.exchange, " for ",
                       outgoing.message.routing_key);
      Decide(std::move(outgoing), absl::UnavailableError(what));
      continue;
    }
    Delay(std::move(outgoing), kReturnedPause);
    absl::MutexLock lock(&mutex_);
    topology_changed_ = true;  // somebody has deleted the queue: declare it again
  }
}

void Publisher::Delay(Outgoing outgoing, absl::Duration pause) {
  absl::MutexLock lock(&mutex_);
  delayed_.emplace_back(base::SteadyNow() + pause, std::move(outgoing));
}

void Publisher::OnDisconnected() {
  std::vector<Outgoing> unconfirmed = window_.TakeAll();
  absl::MutexLock lock(&mutex_);
  for (auto outgoing = unconfirmed.rbegin(); outgoing != unconfirmed.rend(); ++outgoing) {
    waiting_.push_front(std::move(*outgoing));
  }
}

void Publisher::Decide(Outgoing outgoing, absl::Status status) {
  const size_t bytes = outgoing.message.body.size();
  const uint64_t ticket = outgoing.ticket;
  Complete(
      [this, ticket, done = std::move(outgoing.done)](const absl::Status& outcome) {
        done(outcome);
        absl::MutexLock lock(&mutex_);
        open_.erase(ticket);
      },
      std::move(status));
  absl::MutexLock lock(&mutex_);
  --undecided_;
  undecided_bytes_ -= bytes;
}

}  // namespace unbraid::amqp
