#ifndef UNBRAID_SERVICES_COMMON_AMQP_IO_THREAD_H_
#define UNBRAID_SERVICES_COMMON_AMQP_IO_THREAD_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/common/amqp/connection.h"
#include "services/common/amqp/options.h"

namespace unbraid::amqp {

// Private to this folder: the thread that owns a connection. It connects, and connects again with
// backoff when the connection is lost; in between it drains, lets its owner work, and sleeps until
// the broker or Wake() has news.
class IoThread {
 public:
  // All run on the thread.
  struct Callbacks {
    // A new connection: declare, consume, ... An error drops it.
    std::function<absl::Status(Connection*)> connected;
    // Events of Drain.
    Connection::Events events;
    // After each drain: send what waits. An error drops the connection. Gives the longest sleep
    // that it can bear.
    std::function<absl::StatusOr<absl::Duration>(Connection*)> work;
    // The connection is gone.
    std::function<void()> disconnected;
  };

  IoThread(ConnectionOptions options, Callbacks callbacks);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void Start();

  // Ends the sleep. From any thread.
  void Wake();

  // Ends the thread; a call that blocks in the network is broken off. May be called twice, not from
  // the thread.
  void Stop();

  ConnectionState state() const;
  bool stopping() const;

  // Between these a blocking call is made that the watchdog may break off.
  void BeginBlocking();
  void EndBlocking();

 private:
  void Run();
  void RunConnection(Connection* connection);
  absl::Status Turn(Connection* connection);
  void Sleep(int descriptor, absl::Duration longest);
  void Watch();
  void SetConnected(const Connection* connection, const std::string& message);

  const ConnectionOptions options_;
  Callbacks callbacks_;
  const int wake_descriptor_;  // eventfd

  mutable absl::Mutex mutex_;
  ConnectionState state_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time blocking_since_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  int socket_ ABSL_GUARDED_BY(mutex_) = -1;

  std::thread thread_;
  std::thread watchdog_;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_IO_THREAD_H_
