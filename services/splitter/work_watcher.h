#ifndef UNBRAID_SERVICES_SPLITTER_WORK_WATCHER_H_
#define UNBRAID_SERVICES_SPLITTER_WORK_WATCHER_H_

#include <grpcpp/client_context.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/base/steady.h"
#include "services/common/grpc/cancellation.h"
#include "unbraid/internal/v1/assembler_service.grpc.pb.h"

namespace unbraid::splitter {

// What the assembler tells. All methods are called on the watcher's thread, in the order of events,
// and may wait for the disk.
class WorkEvents {
 public:
  virtual ~WorkEvents() = default;
  // A new stream: a snapshot follows. `assembler` is the routing key of results.
  virtual void OnConnected(const std::string& assembler) = 0;
  virtual void OnActive(const internal::v1::ActiveSeparation& active) = 0;
  virtual void OnSnapshotEnd() = 0;
  virtual void OnEnded(const internal::v1::EndedSeparation& ended) = 0;
  virtual void OnRetry(const internal::v1::RetryChunk& retry) = 0;
};

// Keeps the WatchWork stream open, on a thread of its own: connects, and connects again with
// backoff whenever it ends. News may be lost between two streams; the snapshot at the beginning of
// each makes up for it. Thread-safe.
class WorkWatcher {
 public:
  // `events` is not owned. Pauses between attempts double from `backoff_min` to `backoff_max`.
  WorkWatcher(const std::shared_ptr<grpc::Channel>& channel, const std::string& splitter,
              WorkEvents* events, absl::Duration backoff_min = absl::Milliseconds(100),
              absl::Duration backoff_max = absl::Seconds(5));
  // Stops.
  ~WorkWatcher();

  void Start();

  // Ends the stream and opens another, for a fresh snapshot.
  void Reopen();

  // OK while the stream is open; otherwise why it is not.
  absl::Status state() const;

  // Ends the stream and the thread. May be called twice.
  void Stop();

 private:
  void Run();
  absl::Status Watch();
  absl::Status Read(grpc::ClientContext* context);
  void Dispatch(const internal::v1::WatchWorkResponse& news);

  const std::string splitter_;
  WorkEvents* const events_;
  const absl::Duration backoff_min_;
  const absl::Duration backoff_max_;
  const std::unique_ptr<internal::v1::AssemblerService::Stub> stub_;

  mutable absl::Mutex mutex_;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the open stream
  bool reopening_ ABSL_GUARDED_BY(mutex_) = false;
  base::StopSignal stopping_;
  grpc_util::Cancellation shutdown_;
  absl::Status state_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_WORK_WATCHER_H_
