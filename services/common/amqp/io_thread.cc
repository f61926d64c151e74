#include "services/common/amqp/io_thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/time/clock.h"
#include "services/common/amqp/backoff.h"
#include "services/common/base/status.h"

namespace unbraid::amqp {
namespace {

constexpr int kHeartbeatShare = 3;  // drain so many times in one heartbeat interval
constexpr absl::Duration kWatchdogPeriod = absl::Seconds(1);

}  // namespace

IoThread::IoThread(ConnectionOptions options, Callbacks callbacks)
    : options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      wake_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
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
}

void IoThread::Start() {
  thread_ = std::thread([this] { Run(); });
  watchdog_ = std::thread([this] { Watch(); });
}

void IoThread::Wake() {
  const uint64_t one = 1;
  // It can only fail when the counter is full, and then the thread wakes up anyway.
  [[maybe_unused]] const ssize_t written = write(wake_descriptor_, &one, sizeof(one));
}

void IoThread::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    if (blocking_since_ < absl::InfiniteFuture() && socket_ >= 0) shutdown(socket_, SHUT_RDWR);
  }
  Wake();
  if (thread_.joinable()) thread_.join();
  if (watchdog_.joinable()) watchdog_.join();
}

ConnectionState IoThread::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

bool IoThread::stopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

void IoThread::BeginBlocking() {
  absl::MutexLock lock(&mutex_);
  blocking_since_ = absl::Now();
  if (stopping_ && socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

void IoThread::EndBlocking() {
  absl::MutexLock lock(&mutex_);
  blocking_since_ = absl::InfiniteFuture();
}

void IoThread::Watch() {
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kWatchdogPeriod);
    const bool overdue = absl::Now() - blocking_since_ > options_.publish_timeout;
    if (overdue && socket_ >= 0) shutdown(socket_, SHUT_RDWR);
  }
}

void IoThread::SetConnected(const Connection* connection, const std::string& message) {
  absl::MutexLock lock(&mutex_);
  state_.connected = connection != nullptr;
  state_.blocked = false;
  state_.message = message;
  socket_ = connection != nullptr ? connection->descriptor() : -1;
  if (connection != nullptr) ++state_.generation;
}

void IoThread::Run() {
  Backoff backoff(options_.backoff_min, options_.backoff_max);
  SetConnected(nullptr, "not connected to the broker yet");
  while (!stopping()) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(options_);
    absl::Status status = connection.status();
    if (status.ok()) {
      // The generation counts before the owner sees the connection, so that deliveries bear it.
      SetConnected(connection->get(), "");
      status = callbacks_.connected(connection->get());
    }
    if (status.ok()) {
      backoff.Reset();
      RunConnection(connection->get());
    } else {
      SetConnected(nullptr, std::string(status.message()));
    }
    // The socket is forgotten before it is closed: its number may be taken again at once.
    connection = absl::UnavailableError("closed");
    callbacks_.disconnected();
    if (!stopping()) Sleep(-1, backoff.Next());
  }
}

void IoThread::RunConnection(Connection* connection) {
  absl::Status status;
  while (status.ok() && !stopping()) status = Turn(connection);
  SetConnected(nullptr, status.ok() ? "stopped" : std::string(status.message()));
}

absl::Status IoThread::Turn(Connection* connection) {
  UNBRAID_RETURN_IF_ERROR(connection->Drain(callbacks_.events));
  UNBRAID_ASSIGN_OR_RETURN(const absl::Duration longest, callbacks_.work(connection));
  // What came in while `work` was waiting for an answer lies inside the library, where poll does
  // not see it.
  UNBRAID_RETURN_IF_ERROR(connection->Drain(callbacks_.events));
  Sleep(connection->descriptor(), std::min(longest, options_.heartbeat / kHeartbeatShare));
  return absl::OkStatus();
}

void IoThread::Sleep(int descriptor, absl::Duration longest) {
  std::array<pollfd, 2> watched = {pollfd{wake_descriptor_, POLLIN, 0},
                                   pollfd{descriptor, POLLIN, 0}};  // poll skips -1
  const int64_t milliseconds =
      absl::ToInt64Milliseconds(longest) + (longest > absl::ZeroDuration() ? 1 : 0);
  poll(watched.data(), watched.size(), static_cast<int>(milliseconds));
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_descriptor_, &count, sizeof(count));
}

}  // namespace unbraid::amqp
