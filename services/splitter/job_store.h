#ifndef UNBRAID_SERVICES_SPLITTER_JOB_STORE_H_
#define UNBRAID_SERVICES_SPLITTER_JOB_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/common/base/ids.h"
#include "services/common/store/database.h"
#include "services/splitter/job.h"

namespace unbraid::splitter {

// The separations that have not ended, in `jobs.db`. What was saved survives a power cut.
// Thread-safe; every method may wait for the disk.
class JobStore {
 public:
  static absl::StatusOr<std::unique_ptr<JobStore>> Open(const std::string& folder);

  // Creates the record or replaces it.
  absl::Status Save(const Job& job);

  // Notes the outcome of the preparation, if the record is there and of this attempt.
  absl::Status SavePrepared(base::SeparationId id, int32_t attempt, const Prepared& prepared);

  // Removes the record unless it is of a later attempt; an absent one is fine.
  absl::Status Remove(base::SeparationId id, int32_t attempt);

  absl::StatusOr<std::optional<Job>> Find(base::SeparationId id) const;
  absl::StatusOr<std::vector<Job>> All() const;

  // Bytes of the spools of all jobs that are not prepared yet.
  absl::StatusOr<int64_t> UnpreparedBytes() const;

  // Whether a separation that has not ended reads this track.
  absl::StatusOr<bool> UsesTrack(const std::string& track_name) const;

 private:
  explicit JobStore(std::unique_ptr<store::Database> database) : database_(std::move(database)) {}

  mutable absl::Mutex mutex_;
  const std::unique_ptr<store::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_JOB_STORE_H_
