#ifndef UNBRAID_SERVICES_GATEWAY_STREAM_LIVES_H_
#define UNBRAID_SERVICES_GATEWAY_STREAM_LIVES_H_

#include <grpcpp/support/status.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace unbraid::gateway {

// Bounds the life of streams that may be silent for long: each is ended at a certain age, and all
// of them when the gateway leaves. Clients call again, perhaps another gateway. gRPC's own bound,
// on the age of a connection, would also cut off calls that have only just begun on an old one.
// Thread-safe.
class StreamLives {
 public:
  // A stream with a bounded life. End must be quick and not block; it is called with the lock held,
  // so that after Remove returns it is never called again. More than one call is possible.
  class Stream {
   public:
    virtual ~Stream() = default;
    virtual void End(const grpc::Status& status) = 0;
  };

  explicit StreamLives(absl::Duration longest);
  // All streams must be gone.
  ~StreamLives();

  // From now on the stream's life counts. After EndAll() it is ended at once.
  void Add(Stream* stream);
  void Remove(Stream* stream);

  // Ends all streams, and those that are added later.
  void EndAll();

 private:
  void Watch();
  void EndOld(absl::Time now);  // with the lock held

  const absl::Duration longest_;

  std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  std::map<Stream*, absl::Time> due_;
  absl::Time next_ = absl::InfiniteFuture();  // when the thread looks, by base::SteadyNow
  bool leaving_ = false;
  bool stopping_ = false;
  std::thread thread_;  // after what it uses
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_STREAM_LIVES_H_
