#ifndef UNBRAID_SERVICES_ASSEMBLER_SEPARATION_STORE_H_
#define UNBRAID_SERVICES_ASSEMBLER_SEPARATION_STORE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/assembler/job.h"
#include "services/common/store/database.h"

namespace unbraid::assembler {

// The durable records of separations, in SQLite. What a call has written survives a power cut when
// it returns. Used by one thread at a time.
class SeparationStore {
 public:
  // `retention`: how long what has ended stays after its last use; what is read says when it goes.
  // `files_folder` and errors: as store::Database::Open.
  static absl::StatusOr<std::unique_ptr<SeparationStore>> Open(
      const std::string& path, absl::Duration retention = absl::InfiniteDuration(),
      const std::string& files_folder = "");

  // Writes the job but not its chunks; with `forget_chunks` their records go in the same
  // transaction (a new attempt).
  absl::Status Save(const Job& job, bool forget_chunks = false);

  // Writes the records of these chunks, all or none.
  absl::Status SaveChunks(const Job& job, const std::set<int64_t>& chunks);

  // Writes the job and the records of these chunks, all or none.
  absl::Status SaveWithChunks(const Job& job, const std::set<int64_t>& chunks);

  // NOT_FOUND (UNKNOWN_SEPARATION) when there is none. Chunks are read too.
  absl::StatusOr<Job> Load(base::SeparationId id);

  // What stays of a separation that was deleted; both are 0 when none was.
  struct Tombstone {
    int last_attempt = 0;
    int64_t creation = 0;  // the last one: OpenSeparationRequest.creation
  };
  // Forgets a separation, all but the tombstone.
  absl::Status Delete(base::SeparationId id, const Tombstone& tombstone);
  absl::StatusOr<Tombstone> FindDeleted(base::SeparationId id);

  // The attempts that may have files, of all separations but the failed and cancelled; and the ids
  // of separations that have not ended.
  absl::StatusOr<std::map<base::SeparationId, int>> AttemptsWithFiles();
  absl::StatusOr<std::vector<base::SeparationId>> ActiveIds();

  // Notes that a separation was used; one that there is not is fine.
  absl::Status SetUsed(base::SeparationId id, absl::Time used);
  // At most so many that have ended and were last used at `last_use` or before, the oldest first.
  absl::StatusOr<std::vector<base::SeparationId>> Expired(absl::Time last_use, int limit);

  // One page of an owner's separations, newest first, without chunks. `track` empty: of any track.
  // The token is that of the page before, or empty; INVALID_ARGUMENT (INVALID_PAGE_TOKEN).
  struct Page {
    std::vector<v1::Separation> separations;
    std::string next_token;
  };
  absl::StatusOr<Page> List(const std::string& owner, const std::string& track, int page_size,
                            const std::string& token);

 private:
  SeparationStore(std::unique_ptr<store::Database> database, absl::Duration retention)
      : database_(std::move(database)), retention_(retention) {}
  absl::Status WriteJob(const Job& job);
  absl::Status WriteChunks(const Job& job, const std::set<int64_t>& chunks);
  absl::Status LoadChunks(Job* job);

  const std::unique_ptr<store::Database> database_;
  const absl::Duration retention_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_SEPARATION_STORE_H_
