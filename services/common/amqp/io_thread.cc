#include "services/common/amqp/io_thread.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "services/common/amqp/backoff.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"

namespace unbraid::amqp {
namespace {

constexpr int kTurnsPerHeartbeat = 3;
constexpr absl::Duration kWatchdogPeriod = absl::Seconds(1);
constexpr absl::Duration kStopGrace = absl::Seconds(2);

void Raise(int eventfd_descriptor) {
  const uint64_t one = 1;
  // It can only fail when the counter is full, and then the event is there anyway.
  [[maybe_unused]] const ssize_t written = write(eventfd_descriptor, &one, sizeof(one));
}

}  // namespace

IoThread::IoThread(ConnectionOptions options, Callbacks callbacks)
    : options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      wake_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stop_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  state_.message = "not connected to the broker yet";
  auto owner_blocked = std::move(callbacks_.events.blocked);
  callbacks_.events.blocked = [this, owner_blocked](bool blocked, std::string reason) {
    {
      absl::MutexLock lock(&mutex_);
      state_.blocked = blocked;
      state_.message = blocked ? "the broker takes no messages: " + reason : "";
    }
    if (owner_blocked) owner_blocked(blocked, std::move(reason));
  };
}

IoThread::~IoThread() {
  Stop();
  close(wake_descriptor_);
  close(stop_descriptor_);
}

void IoThread::Start() {
  thread_ = std::thread([this] { Run(); });
  watchdog_ = std::thread([this] { Watch(); });
}

void IoThread::Wake() { Raise(wake_descriptor_); }

void IoThread::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_.Stop();
    Raise(stop_descriptor_);
    if (thread_.joinable() && !mutex_.AwaitWithTimeout(absl::Condition(&finished_), kStopGrace) &&
        socket_ >= 0) {
      shutdown(socket_, SHUT_RDWR);
    }
  }
  if (thread_.joinable()) thread_.join();
  if (watchdog_.joinable()) watchdog_.join();
}

ConnectionState IoThread::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

bool IoThread::stopping() const { return stopping_.stopped(); }

void IoThread::NoteOpened(int descriptor) {
  absl::MutexLock lock(&mutex_);
  socket_ = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  busy_since_ = base::SteadyNow();
}

void IoThread::BeginBusy() {
  absl::MutexLock lock(&mutex_);
  busy_since_ = base::SteadyNow();
}

void IoThread::EndBusy() {
  absl::MutexLock lock(&mutex_);
  busy_since_ = absl::InfiniteFuture();
}

void IoThread::Watch() {
  while (!stopping_.Pause(kWatchdogPeriod)) {
    absl::MutexLock lock(&mutex_);
    const bool overdue = base::SteadyNow() - busy_since_ > options_.publish_timeout;
    if (overdue && socket_ >= 0) shutdown(socket_, SHUT_RDWR);
  }
}

void IoThread::NoteConnected() {
  absl::MutexLock lock(&mutex_);
  state_.connected = true;
  state_.message = state_.blocked ? state_.message : "";
}

void IoThread::NoteDisconnected(const absl::Status& reason) {
  absl::MutexLock lock(&mutex_);
  state_.connected = false;
  state_.blocked = false;
  state_.message = std::string(reason.message());
  if (socket_ >= 0) close(std::exchange(socket_, -1));
  busy_since_ = absl::InfiniteFuture();
}

void IoThread::Run() {
  Backoff backoff(options_.backoff_min, options_.backoff_max);
  while (!stopping()) {
    const absl::Time begun = base::SteadyNow();
    const absl::Status reason = RunConnection();
    callbacks_.disconnected(reason);
    // What fails soon after every login is no success.
    if (base::SteadyNow() - begun > options_.backoff_max) backoff.Reset();
    stopping_.Pause(backoff.Next());
  }
  absl::MutexLock lock(&mutex_);
  finished_ = true;
}

absl::Status IoThread::RunConnection() {
  Connection::Hooks hooks;
  hooks.stop_descriptor = stop_descriptor_;
  hooks.opened = [this](int descriptor) { NoteOpened(descriptor); };
  hooks.alive = [this] { BeginBusy(); };
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      Connection::Open(options_, callbacks_.events, std::move(hooks));
  absl::Status status = connection.status();
  if (status.ok()) {
    {
      // Counted before the owner sees the connection, so that deliveries bear it.
      absl::MutexLock lock(&mutex_);
      ++state_.generation;
    }
    status = callbacks_.connected(connection->get());
  }
  if (status.ok()) NoteConnected();
  while (status.ok() && !stopping()) status = Turn(connection->get());
  if (status.ok()) {
    (*connection)->Close();
    status = absl::CancelledError("stopped");
  }
  NoteDisconnected(status);
  return status;
}

absl::Status IoThread::Turn(Connection* connection) {
  BeginBusy();
  UNBRAID_RETURN_IF_ERROR(connection->Drain().status());
  UNBRAID_ASSIGN_OR_RETURN(const absl::Duration longest, callbacks_.work(connection));
  // What came in while `work` was waiting for an answer lies inside the library, where poll does
  // not see it; and what it says may give `work` more to do.
  UNBRAID_ASSIGN_OR_RETURN(const bool news, connection->Drain());
  EndBusy();
  if (!news) {
    Sleep(connection->descriptor(), std::min(longest, options_.heartbeat / kTurnsPerHeartbeat));
  }
  return absl::OkStatus();
}

void IoThread::Sleep(int descriptor, absl::Duration longest) {
  std::array<pollfd, 3> watched = {pollfd{wake_descriptor_, POLLIN, 0},
                                   pollfd{stop_descriptor_, POLLIN, 0},
                                   pollfd{descriptor, POLLIN, 0}};
  const int64_t milliseconds =
      absl::ToInt64Milliseconds(longest) + (longest > absl::ZeroDuration() ? 1 : 0);
  poll(watched.data(), watched.size(), static_cast<int>(milliseconds));
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_descriptor_, &count, sizeof(count));
}

}  // namespace unbraid::amqp
