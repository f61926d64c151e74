#ifndef UNBRAID_SERVICES_SPLITTER_CANCEL_NOTICES_H_
#define UNBRAID_SERVICES_SPLITTER_CANCEL_NOTICES_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/base/ids.h"
#include "services/common/base/package_id.h"
#include "services/splitter/broker.h"

namespace unbraid::splitter {

// Tells the workers which separations have ended, so that they drop what the broker still holds of
// them. A notice reaches only workers that listen at that moment; so it is repeated, now and then
// and whenever workers have come, until the package's queue was seen empty. Notices are few, and
// lost with the process, which costs computing time only. Thread-safe.
class CancelNotices {
 public:
  // Not owned.
  explicit CancelNotices(ChunkSink* sink) : sink_(sink) {}

  // Attempts of the separation up to this one have ended: told at once if the broker is there, and
  // only once where nobody knows any more which package it was for. May wait for the broker.
  void Add(base::SeparationId id, int32_t attempt, const std::optional<base::PackageId>& package,
           absl::Time now);

  // Packages with notices that may have to be repeated.
  std::set<base::PackageId> packages() const;

  // Repeats what is due, with this look at a package's queue. May wait for the broker.
  void Tick(const base::PackageId& package, const absl::StatusOr<QueueCounts>& chunks,
            absl::Time now);

 private:
  struct Notice {
    base::SeparationId id;
    int32_t attempt = 0;
    base::PackageId package;
    absl::Time added;
    absl::Time due;
    absl::Duration pause;
  };

  bool BrokerIsThere() const;
  void Send(const Notice& notice) const;

  ChunkSink* const sink_;

  mutable absl::Mutex mutex_;
  std::deque<Notice> notices_ ABSL_GUARDED_BY(mutex_);  // oldest first
  // Of each package, at the last look.
  std::map<base::PackageId, int64_t> consumers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_CANCEL_NOTICES_H_
