#ifndef UNBRAID_SERVICES_ASSEMBLER_FOLLOW_REACTOR_H_
#define UNBRAID_SERVICES_ASSEMBLER_FOLLOW_REACTOR_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/assembler/engine.h"
#include "services/assembler/stem_follower.h"
#include "services/common/grpc/stream_writer.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::assembler {

// One DownloadStem call with `follow`: the format at once, then the stem as PCM as far as it is
// joined, and on as more is. Deletes itself.
//
// The next part is read and resampled, on the disk executor, only when the one before has been
// taken. A follower that has begun keeps the joined files open, and so gets to the last frame
// though they are removed at the end. UNAVAILABLE when the service ends, or a separation is deleted
// before it has SUCCEEDED: call again with the offset that was reached.
class FollowReactor : public grpc_util::StreamWriter<v1::DownloadStemResponse>,
                      private WatchHub::Watcher {
 public:
  struct Parts {
    Engine* engine = nullptr;
    base::Executor* engine_executor = nullptr;
    base::Executor* disk_executor = nullptr;
    WatchHub* hub = nullptr;
    std::shared_ptr<void> place;  // null: there is none
  };

  FollowReactor(std::string owner, const v1::DownloadStemRequest& request, const Parts& parts);

 private:
  ~FollowReactor() override;

  // On the engine's thread.
  absl::Status Begin();
  absl::Status Attach();
  absl::Status Attach(const FollowPlan& plan);

  // On the threads of those who have news, with the hub's lock held.
  void OnNews(SeparationSnapshot news) override;
  void OnBeat() override {}
  void OnJoined(int64_t frames) override;

  // On gRPC's threads.
  void OnDrained() override;

  // Begins the next step, if it is time for one. From any thread.
  void GoOn();
  // On the disk executor.
  void Step(int64_t joined);
  void FinishWith(const absl::Status& status);

  const std::string owner_;
  const int64_t offset_;
  const Parts parts_;
  base::StemRef stem_;

  absl::Mutex mutex_;
  // Null while PREPARING. What it points to belongs to the step that is `busy_`.
  std::unique_ptr<StemFollower> follower_ ABSL_GUARDED_BY(mutex_);
  bool attaching_ ABSL_GUARDED_BY(mutex_) = false;  // or attached
  bool succeeded_ ABSL_GUARDED_BY(mutex_) = false;
  bool taken_ ABSL_GUARDED_BY(mutex_) = false;  // the client has all that was sent
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;   // a step is on its way or at work
  int64_t joined_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_FOLLOW_REACTOR_H_
