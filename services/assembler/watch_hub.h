#ifndef UNBRAID_SERVICES_ASSEMBLER_WATCH_HUB_H_
#define UNBRAID_SERVICES_ASSEMBLER_WATCH_HUB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/common/base/ids.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::assembler {

using SeparationSnapshot = std::shared_ptr<const v1::Separation>;

// Carries the newest state of separations to those who watch. Thread-safe.
class WatchHub {
 public:
  // A watcher. OnNews must be quick and not block; it is called with the hub's lock held, so that
  // after Unsubscribe returns it is never called again. A null pointer: the service is shutting
  // down, or the separation was deleted.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void OnNews(SeparationSnapshot news) = 0;
    virtual void OnBeat() = 0;
    // So many frames are joined now, at the model's rate. At once and each time, unlike news.
    virtual void OnJoined(int64_t /*frames*/) {}
  };

  void Subscribe(base::SeparationId id, Watcher* watcher);
  void Unsubscribe(base::SeparationId id, Watcher* watcher);

  void Publish(base::SeparationId id, const v1::Separation& separation);
  void TellJoined(base::SeparationId id, int64_t frames);
  // Sends every watcher again what it was told last, so that it knows that the line is alive.
  void Beat();
  // How many watch now.
  size_t watchers() const;

  // The separation is gone.
  void Close(base::SeparationId id);
  // All are told that the service ends.
  void CloseAll();

 private:
  mutable absl::Mutex mutex_;
  std::map<base::SeparationId, std::set<Watcher*>> watchers_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_WATCH_HUB_H_
