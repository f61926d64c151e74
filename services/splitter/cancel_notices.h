#ifndef UNBRAID_SERVICES_SPLITTER_CANCEL_NOTICES_H_
#define UNBRAID_SERVICES_SPLITTER_CANCEL_NOTICES_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/base/ids.h"
#include "services/splitter/broker.h"

namespace unbraid::splitter {

// Tells the workers which separations have ended, so that they drop what the broker still holds of
// them. A notice reaches only workers that listen at that moment; so it is repeated, now and then
// and whenever workers have come, until the model's queue was seen empty. Notices are few, and lost
// with the process, which costs computing time only. Thread-safe.
class CancelNotices {
 public:
  // Not owned.
  explicit CancelNotices(ChunkSink* sink) : sink_(sink) {}

  // Attempts of the separation up to this one have ended: told at once if the broker is there. May
  // wait for it.
  void Add(base::SeparationId id, int32_t attempt, const std::string& model, absl::Time now);

  // Models with notices that may have to be repeated.
  std::set<std::string> models() const;

  // Repeats what is due, with this look at a model's queue. May wait for the broker.
  void Tick(const std::string& model, const absl::StatusOr<QueueCounts>& chunks, absl::Time now);

 private:
  struct Notice {
    base::SeparationId id;
    int32_t attempt = 0;
    std::string model;
    absl::Time added;
    absl::Time due;
    absl::Duration pause;
  };

  bool BrokerIsThere() const;
  void Send(const Notice& notice) const;

  ChunkSink* const sink_;

  mutable absl::Mutex mutex_;
  std::deque<Notice> notices_ ABSL_GUARDED_BY(mutex_);                // oldest first
  std::map<std::string, int64_t> consumers_ ABSL_GUARDED_BY(mutex_);  // of each model, at last look
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_CANCEL_NOTICES_H_
