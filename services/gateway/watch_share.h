#ifndef UNBRAID_SERVICES_GATEWAY_WATCH_SHARE_H_
#define UNBRAID_SERVICES_GATEWAY_WATCH_SHARE_H_

#include <grpcpp/support/status.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/common/telemetry/metrics.h"
#include "services/gateway/backends.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::gateway {

bool HasEnded(const v1::Separation& separation);

// Shares one WatchSeparation at the assembler among all who watch a separation here: the first one
// opens it, the last one ends it. The news of a separation come in order. Thread-safe.
class WatchShare {
 public:
  using News = std::shared_ptr<const v1::WatchSeparationResponse>;

  // A watcher. Both must be quick and not block; they are called with the share's lock held, so
  // that after Leave returns neither is called again. After OnEnd no more news come.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void OnNews(const News& news) = 0;
    // The assembler has ended the stream, with its status as a client may see it.
    virtual void OnEnd(const grpc::Status& status) = 0;
  };

  // Neither is owned.
  WatchShare(Assembler* assembler, telemetry::Metrics* metrics);
  // Waits for the last stream to end. All watchers must have left.
  ~WatchShare();

  // Lets the watcher take part; one that is not the first gets what came last at once. Who may
  // watch is the assembler's to say, and was asked by the watcher: all of them are `owner`'s.
  void Join(const std::string& owner, const std::string& name, Watcher* watcher);
  void Leave(Watcher* watcher);

 private:
  class Stream;
  using Key = std::pair<std::string, std::string>;  // owner, name

  void OnNews(Stream* stream, News news);
  void OnEnd(Stream* stream, const grpc::Status& status);
  void Forget(Stream* stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Assembler* const assembler_;
  prometheus::Gauge& streams_gauge_;
  prometheus::Gauge& watchers_gauge_;

  absl::Mutex mutex_;
  // Streams that a new watcher can take part in; they own themselves.
  std::map<Key, Stream*> streams_ ABSL_GUARDED_BY(mutex_);
  std::map<Watcher*, Stream*> joined_ ABSL_GUARDED_BY(mutex_);
  int alive_ ABSL_GUARDED_BY(mutex_) = 0;  // streams, those included that nobody watches any more
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_WATCH_SHARE_H_
