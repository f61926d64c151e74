#ifndef UNBRAID_SERVICES_COMMON_AMQP_PUBLISHER_H_
#define UNBRAID_SERVICES_COMMON_AMQP_PUBLISHER_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/amqp/confirm_window.h"
#include "services/common/amqp/message.h"
#include "services/common/amqp/options.h"
#include "services/common/amqp/topology.h"
#include "services/common/base/executor.h"

namespace unbraid::amqp {

class Connection;
class IoThread;

// Publishes with confirms, on a connection and a thread of its own. At-least-once: what is not
// confirmed when a connection is lost is sent again on the next one. Thread-safe.
class Publisher {
 public:
  // Begins to connect in the background, and declares `topology` at each connect.
  static std::unique_ptr<Publisher> Create(const ConnectionOptions& options,
                                           const Topology& topology);
  // Stops.
  ~Publisher();

  // Hands a message over; waits while the outgoing queue is full (64 messages or 64 MiB). `done` is
  // called exactly once, with no lock held, on a thread of the publisher's own (after Stop() on the
  // caller's); it may publish more, but not wait for that:
  //   OK                   the broker has it safely
  //   RESOURCE_EXHAUSTED   larger than the broker takes; it was not sent
  //   FAILED_PRECONDITION  its exchange is in no topology of this publisher; it was not sent (the
  //                        broker would close the channel, again and again)
  //   UNAVAILABLE          no queue wanted it, five times over
  //   CANCELLED            Stop() came first; whether the broker has it is unknown
  // A broker that is away, blocked or refuses (nack) is no error: the message waits and is sent
  // again. Messages keep their order, except for those that are sent again.
  void Publish(Message message, std::function<void(absl::Status)> done);

  // Publishes what may be lost, if there is room for it beside what may not; never waits. Whether
  // it was handed over.
  bool TryPublish(Message message, std::function<void(absl::Status)> done);

  // Publishes and waits. DEADLINE_EXCEEDED after `timeout`, waiting for room included; the message
  // may still be sent later.
  absl::Status PublishAndWait(Message message, absl::Duration timeout);

  // Waits until `done` has run for everything handed over so far. DEADLINE_EXCEEDED.
  absl::Status Flush(absl::Duration timeout);

  // Declares more, now and at each connect; messages handed over afterwards find it. Free when it
  // is known already.
  void EnsureTopology(const Topology& topology);

  ConnectionState state() const;

  // Decides everything that waits as CANCELLED and ends the threads. May be called twice; not from
  // `done`.
  void Stop();

 private:
  Publisher(const ConnectionOptions& options, const Topology& topology);

  absl::Status OnConnected(Connection* connection);
  absl::StatusOr<absl::Duration> Work(Connection* connection);
  absl::Status SendWaiting(Connection* connection);
  // An error when a confirm is overdue. A quorum queue that has lost its leader takes messages and
  // does not confirm them; sending them again finds the new leader.
  absl::Status CheckConfirms() const;
  absl::Status CheckMessage(const Message& message) const;
  // Waits until fewer than `most` messages are undecided, and there is room for their bytes; false
  // when the time is up first. `done` is in good hands otherwise.
  bool HandOver(Message message, std::function<void(absl::Status)> done, absl::Time deadline,
                size_t most = kMaxUndecided);
  void Complete(std::function<void(absl::Status)> done, absl::Status status);
  void TakeDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TakeNext(Outgoing* next);
  absl::Duration LongestSleep() const;
  void OnOutcome(ConfirmWindow::Outcome outcome);
  void OnDisconnected();
  void Decide(Outgoing outgoing, absl::Status status);
  void Delay(Outgoing outgoing, absl::Duration pause);

  static constexpr size_t kMaxUndecided = 64;

  const ConnectionOptions options_;

  // Touched by the I/O thread alone.
  ConfirmWindow window_;
  bool blocked_ = false;
  absl::Time unblocked_at_ = absl::InfinitePast();

  mutable absl::Mutex mutex_;
  Topology topology_ ABSL_GUARDED_BY(mutex_);
  bool topology_changed_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Outgoing> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<absl::Time, Outgoing>> delayed_ ABSL_GUARDED_BY(mutex_);
  // Tickets of messages whose `done` has not run yet.
  std::set<uint64_t> open_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t undecided_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t undecided_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;

  base::Executor completions_;
  std::unique_ptr<IoThread> io_;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_PUBLISHER_H_
