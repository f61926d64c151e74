#ifndef UNBRAID_SERVICES_ASSEMBLER_WORK_FEED_H_
#define UNBRAID_SERVICES_ASSEMBLER_WORK_FEED_H_

#include <map>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/assembler/job.h"
#include "unbraid/internal/v1/assembler_service.pb.h"

namespace unbraid::assembler {

// Carries to each splitter what concerns its work. Nothing is lost or reordered for a listener: one
// that is too slow is cut off, and comes back to a fresh snapshot. Thread-safe.
class WorkFeed {
 public:
  // A splitter's stream. OnWork must be quick and not block; it is called with the feed's lock
  // held.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnWork(const internal::v1::WatchWorkResponse& news) = 0;
    virtual void OnClosed() = 0;
  };

  void Subscribe(const std::string& splitter, Listener* listener);
  void Unsubscribe(const std::string& splitter, Listener* listener);

  void Publish(const std::string& splitter, const internal::v1::WatchWorkResponse& news);
  void CloseAll();

 private:
  absl::Mutex mutex_;
  std::map<std::string, std::set<Listener*>> listeners_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// The messages of the feed.
internal::v1::WatchWorkResponse ActiveNews(const Job& job);
internal::v1::WatchWorkResponse EndedNews(const Job& job);
internal::v1::WatchWorkResponse RetryNews(const Job& job, int64_t chunk);
internal::v1::WatchWorkResponse SnapshotEndNews();

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_WORK_FEED_H_
