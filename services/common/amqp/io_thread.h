#ifndef UNBRAID_SERVICES_COMMON_AMQP_IO_THREAD_H_
#define UNBRAID_SERVICES_COMMON_AMQP_IO_THREAD_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/amqp/connection.h"
#include "services/common/amqp/incoming.h"
#include "services/common/amqp/options.h"
#include "services/common/base/steady.h"

namespace unbraid::amqp {

// Private to this folder: the thread that owns a connection. It connects, and connects again with
// backoff when the connection is lost; in between it drains, lets its owner work, and sleeps until
// the broker or Wake() has news. A second thread watches over it: a library call that comes to no
// end has its socket shut down.
class IoThread {
 public:
  // All run on the thread.
  struct Callbacks {
    // A new connection: declare, consume, ... An error drops it.
    std::function<absl::Status(Connection*)> connected;
    // What the broker sends by itself.
    Events events;
    // After each drain: send what waits. An error drops the connection. Gives the longest sleep
    // that it can bear.
    std::function<absl::StatusOr<absl::Duration>(Connection*)> work;
    // The connection is gone, or the attempt to make one has failed; with the reason.
    std::function<void(const absl::Status&)> disconnected;
  };

  IoThread(ConnectionOptions options, Callbacks callbacks);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void Start();

  // Ends the sleep on a connection. From any thread.
  void Wake();

  // Ends the thread: lets it take leave of the broker, and breaks off what has not ended after two
  // seconds. May be called twice, not from the thread.
  void Stop();

  ConnectionState state() const;

 private:
  void Run();
  absl::Status RunConnection();
  absl::Status Turn(Connection* connection);
  void Sleep(int descriptor, absl::Duration longest);
  void Watch();
  bool stopping() const;
  void NoteOpened(int descriptor);
  void BeginBusy();
  void EndBusy();
  void NoteConnected();
  void NoteDisconnected(const absl::Status& reason);

  const ConnectionOptions options_;
  Callbacks callbacks_;
  const int wake_descriptor_;  // eventfd, read by the thread
  const int stop_descriptor_;  // eventfd, never read: once readable, always readable

  base::StopSignal stopping_;
  mutable absl::Mutex mutex_;
  ConnectionState state_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time busy_since_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  // A duplicate of the connection's, so that it names no other file should the library close its
  // own.
  int socket_ ABSL_GUARDED_BY(mutex_) = -1;

  std::thread thread_;
  std::thread watchdog_;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_IO_THREAD_H_
