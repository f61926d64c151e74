#include "services/common/amqp/publisher.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/common/amqp/connection.h"
#include "services/common/amqp/io_thread.h"
#include "services/common/base/status.h"

namespace unbraid::amqp {
namespace {

constexpr size_t kMaxUndecided = 64;
constexpr size_t kMaxUndecidedBytes = 64U << 20;
constexpr int kMaxReturns = 5;
constexpr absl::Duration kRefusedPause = absl::Milliseconds(500);
constexpr absl::Duration kReturnedPause = absl::Milliseconds(200);

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
  callbacks.disconnected = [this] { OnDisconnected(); };
  callbacks.events.acked = [this](uint64_t sequence, bool multiple) {
    OnOutcome(window_.Acked(sequence, multiple));
  };
  callbacks.events.nacked = [this](uint64_t sequence, bool multiple) {
    OnOutcome(window_.Nacked(sequence, multiple));
  };
  callbacks.events.returned = [this](const std::string& message_id) {
    window_.Returned(message_id);
  };
  callbacks.events.blocked = [this](bool blocked, const std::string&) { blocked_ = blocked; };
  io_ = std::make_unique<IoThread>(options, std::move(callbacks));
}

Publisher::~Publisher() { Stop(); }

void Publisher::Publish(Message message, std::function<void(absl::Status)> done) {
  if (message.body.size() > options_.max_message_bytes) {
    const absl::Status too_large = absl::ResourceExhaustedError(
        absl::StrCat("a message of ", message.body.size(), " bytes is larger than the broker's ",
                     options_.max_message_bytes));
    if (!completions_.Post([done, too_large] { done(too_large); })) done(too_large);
    return;
  }
  bool stopped = false;
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](Publisher* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) {
          return self->stopped_ || self->HasRoom();
        },
        this));
    stopped = stopped_;
    if (!stopped) {
      ++undecided_;
      undecided_bytes_ += message.body.size();
      waiting_.push_back({std::move(message), done, 0, false});
    }
  }
  if (stopped) return done(absl::CancelledError("the publisher has been stopped"));
  io_->Wake();
}

bool Publisher::HasRoom() const {
  return undecided_ < kMaxUndecided && undecided_bytes_ < kMaxUndecidedBytes;
}

absl::Status Publisher::PublishAndWait(Message message, absl::Duration timeout) {
  struct Answer {
    absl::Notification arrived;
    absl::Status status;
  };
  auto answer = std::make_shared<Answer>();  // outlives this call when the time is up
  Publish(std::move(message), [answer](absl::Status status) {
    answer->status = std::move(status);
    answer->arrived.Notify();
  });
  if (!answer->arrived.WaitForNotificationWithTimeout(timeout)) {
    return absl::DeadlineExceededError(
        absl::StrCat("the broker has not confirmed in time; ", state().message));
  }
  return answer->status;
}

absl::Status Publisher::Flush(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const bool decided =
      mutex_.AwaitWithTimeout(absl::Condition(
                                  +[](Publisher* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) {
                                    return self->undecided_ == 0;
                                  },
                                  this),
                              timeout);
  if (decided) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat(undecided_, " messages are not confirmed yet"));
}

void Publisher::EnsureTopology(const Topology& topology) {
  {
    absl::MutexLock lock(&mutex_);
    topology_.Merge(topology);
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
  for (Outgoing& outgoing : left) {
    Decide(std::move(outgoing), absl::CancelledError("the publisher has been stopped"));
  }
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
  absl::Duration longest = absl::InfiniteDuration();
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(topology_changed_, false)) changed = topology_;
    const absl::Time now = absl::Now();
    for (auto entry = delayed_.begin(); entry != delayed_.end();) {
      if (entry->first <= now) {
        waiting_.push_back(std::move(entry->second));
        entry = delayed_.erase(entry);
      } else {
        longest = std::min(longest, entry->first - now);
        ++entry;
      }
    }
  }
  UNBRAID_RETURN_IF_ERROR(connection->Declare(changed));
  if (!blocked_) UNBRAID_RETURN_IF_ERROR(SendWaiting(connection));
  return longest;
}

absl::Status Publisher::SendWaiting(Connection* connection) {
  // One at a time, so that confirms are taken and a blocked broker is noticed in between.
  while (true) {
    Outgoing next;
    {
      absl::MutexLock lock(&mutex_);
      if (waiting_.empty()) return absl::OkStatus();
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    io_->BeginBlocking();
    const absl::Status status = connection->Publish(next.message);
    io_->EndBlocking();
    // Also after an error: then it is among those that are sent again.
    window_.Sent(std::move(next));
    UNBRAID_RETURN_IF_ERROR(status);
    bool more = false;
    {
      absl::MutexLock lock(&mutex_);
      more = !waiting_.empty();
    }
    if (more) io_->Wake();
    return absl::OkStatus();
  }
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
  delayed_.emplace_back(absl::Now() + pause, std::move(outgoing));
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
  completions_.Post(
      [done = std::move(outgoing.done), status = std::move(status)] { done(status); });
  absl::MutexLock lock(&mutex_);
  --undecided_;
  undecided_bytes_ -= bytes;
}

}  // namespace unbraid::amqp
