#ifndef UNBRAID_SERVICES_SPLITTER_JOBS_H_
#define UNBRAID_SERVICES_SPLITTER_JOBS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/splitter/pipeline.h"
#include "services/splitter/work_watcher.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::splitter {

// Which separations the splitter works on. It keeps a durable record of each until it has ended,
// and brings that in line with the assembler, which has the truth:
//   * a separation is recorded, then opened at the assembler, then worked on;
//   * after a restart of either side, what the assembler names in its snapshot goes on (without the
//     chunks that it has), what was recorded and not opened is opened, the rest has ended;
//   * what the assembler names and is not recorded here (a lost data folder) is ended as failed.
// Thread-safe.
class Jobs : public WorkEvents {
 public:
  // `parts` as of the pipeline; nothing is owned. `splitter` is this splitter's name.
  Jobs(const Pipeline::Parts& parts, Pipeline* pipeline, const std::string& splitter);

  // Reads the records and clears the spool folder of what belongs to none. Before Start().
  // `given_out`: what a process that ended in good order has left at the broker.
  absl::Status Recover(std::vector<GivenOut> given_out);

  // Checks, records and opens a separation; the work goes on in the background. Idempotent. A new
  // one is recorded only if its spool has room beside what was let in before. It is a use of the
  // track. Errors: see SeparationService.CreateSeparation. After UNAVAILABLE the job may be
  // recorded, and is opened later on.
  absl::StatusOr<v1::Separation> Start(const std::string& owner, const v1::Separation& wanted);

  // FAILED_PRECONDITION (TRACK_IN_USE), NOT_FOUND (UNKNOWN_TRACK).
  absl::Status DeleteTrack(base::TrackId id);

  // Deletes tracks that were not used for long, and that nobody reads; to be called now and then.
  void ExpireTracks();

  // Opens what was recorded and could not be opened; to be called now and then.
  void Tick();

  // WorkEvents.
  void OnConnected(const std::string& assembler) override;
  void OnActive(const internal::v1::ActiveSeparation& active) override;
  void OnSnapshotEnd() override;
  void OnEnded(const internal::v1::EndedSeparation& ended) override;
  void OnRetry(const internal::v1::RetryChunk& retry) override;

 private:
  // Marks a separation as being opened, so that news of it are left to the opener.
  class Opening;

  struct Heard {
    internal::v1::ActiveSeparation active;
    std::vector<internal::v1::RetryChunk> retries;
  };

  absl::StatusOr<Job> Make(const std::string& owner, const v1::Separation& wanted) const;
  absl::StatusOr<Job> Record(const std::string& owner, const v1::Separation& wanted, bool* is_new);
  absl::Status SaveNew(const Job& job);
  absl::StatusOr<v1::Separation> FindFinished(const std::string& owner,
                                              const v1::Separation& wanted,
                                              const absl::Status& refused);
  absl::Status Expire(base::TrackId id);
  absl::StatusOr<v1::Separation> Open(const Job& job, bool is_new);
  absl::Status Accept(const Job& job, bool started);
  void OpenAgain(const Job& job);
  void EndOpening(base::SeparationId id);
  void TakeIn(const Heard& heard);
  void ForgetEnded(base::SeparationId id, int32_t attempt);
  void Forget(base::SeparationId id, int32_t attempt);
  // Unless a client has begun the separation again meanwhile.
  void ForgetCreation(const Job& job, int32_t attempt);
  // Notes that attempts up to this one have ended, for whoever is opening it; whether somebody is.
  bool NoteEnd(base::SeparationId id, int32_t attempt);
  void OnLost(const internal::v1::ActiveSeparation& active);
  // Takes what was heard of a separation, up to this attempt, while it was being opened, if
  // anything was.
  std::optional<Heard> TakeHeard(base::SeparationId id, int32_t attempt);
  void PassRetriesOn(const Heard& heard);
  // Chunks that need not be sent: those that are done, and those that were given out.
  std::vector<bool> NotToSend(const internal::v1::ActiveSeparation& active);

  const Pipeline::Parts parts_;
  Pipeline* const pipeline_;
  const std::string splitter_;

  // Held while a record is made or a track deleted, so that no job is recorded for a track that is
  // just going.
  absl::Mutex record_mutex_;

  // Held while news are taken in, on the watcher's thread or later by an opener, so that they count
  // in the order in which they came. Before the others.
  absl::Mutex news_mutex_;

  mutable absl::Mutex mutex_;
  std::map<base::SeparationId, int> opening_ ABSL_GUARDED_BY(mutex_);  // and how many callers
  std::set<base::SeparationId> unopened_ ABSL_GUARDED_BY(mutex_);
  // News of separations that are being opened, for whoever opens them.
  std::map<base::SeparationId, Heard> heard_ ABSL_GUARDED_BY(mutex_);
  std::map<base::SeparationId, int32_t> ended_ ABSL_GUARDED_BY(mutex_);  // likewise: their attempts
  std::vector<GivenOut> given_out_ ABSL_GUARDED_BY(mutex_);              // by the process before
  absl::Time open_again_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time expire_again_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  // Streams are counted: a job that was opened during the present one need not be in its snapshot.
  int64_t stream_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<base::SeparationId, int64_t> opened_in_ ABSL_GUARDED_BY(mutex_);
  std::set<base::SeparationId> named_ ABSL_GUARDED_BY(mutex_);  // by the present snapshot
  bool in_snapshot_ ABSL_GUARDED_BY(mutex_) = false;
  bool synced_ ABSL_GUARDED_BY(mutex_) = false;  // a snapshot has been taken in
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_JOBS_H_
