#ifndef UNBRAID_SERVICES_SPLITTER_UPLOAD_REACTOR_H_
#define UNBRAID_SERVICES_SPLITTER_UPLOAD_REACTOR_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/common/base/executor.h"
#include "services/splitter/upload_call.h"
#include "unbraid/v1/track_service.pb.h"

namespace unbraid::splitter {

// Threads for uploads. The check of a whole file takes long, and so does the beginning of an upload
// that goes on, whose file is read once; neither may hold up the parts of others.
struct UploadExecutors {
  base::Executor* beginnings;
  base::Executor* parts;
  base::Executor* checks;
};

// One UploadTrack call. Reads a message, has an executor write it, and only then reads the next, so
// that a client can send no faster than the disk takes it. It owns itself until gRPC and the
// executors are done with it.
class UploadReactor : public grpc::ServerReadReactor<v1::UploadTrackRequest>,
                      public std::enable_shared_from_this<UploadReactor> {
 public:
  // `response` is gRPC's and lives until the call is finished.
  static UploadReactor* Start(Uploads* uploads, UploadExecutors executors, const std::string& owner,
                              v1::UploadTrackResponse* response);

  void OnReadDone(bool ok) override;
  void OnDone() override;

 private:
  UploadReactor(UploadExecutors executors, v1::UploadTrackResponse* response)
      : executors_(executors), response_(response) {}

  base::Executor* ExecutorFor(bool ok) const;
  void Work(bool ok);
  void EndOfWork(std::optional<absl::Status> end);
  void Evict(const absl::Status& status);
  // The error to finish with now, if any; marks the call as finished then.
  absl::Status FinishIfEvicted() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const UploadExecutors executors_;
  v1::UploadTrackResponse* const response_;

  // One step at a time: a read, then the executor's work on it, touch these.
  v1::UploadTrackRequest request_;
  std::unique_ptr<UploadCall> call_;
  std::shared_ptr<UploadReactor> self_;  // until OnDone

  absl::Mutex mutex_;
  int steps_ ABSL_GUARDED_BY(mutex_) = 0;  // begun and not ended: Finish must wait
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status evicted_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_UPLOAD_REACTOR_H_
