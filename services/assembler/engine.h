#ifndef UNBRAID_SERVICES_ASSEMBLER_ENGINE_H_
#define UNBRAID_SERVICES_ASSEMBLER_ENGINE_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/engine_metrics.h"
#include "services/assembler/finisher.h"
#include "services/assembler/follow_plan.h"
#include "services/assembler/job.h"
#include "services/assembler/join_pipeline.h"
#include "services/assembler/result_intake.h"
#include "services/assembler/separation_store.h"
#include "services/assembler/song_intake.h"
#include "services/assembler/space.h"
#include "services/assembler/watch_hub.h"
#include "services/assembler/work_feed.h"
#include "services/common/base/executor.h"
#include "services/common/store/files.h"
#include "services/common/store/object_folder.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::assembler {

// What happens to separations. It is the only one that changes their records and files.
//
// Not thread-safe by design: everything runs on one thread, the `engine` executor, so no state is
// ever seen half-changed. Only the finishing, which reads what is joined and changes no more, runs
// on an executor of its own and reports back to the engine's. Nothing here takes longer than a few
// chunks do: long joins go on after whatever else waits for the thread.
//
// Durability: a call that returns OK has written what it did. Every record is written before the
// files that it makes superfluous are removed; what a crash leaves behind is removed at the next
// start. A call that fails has changed nothing.
class Engine {
 public:
  struct Options {
    std::string data_folder;
    base::Executor* engine = nullptr;     // one thread
    base::Executor* finishing = nullptr;  // one or more
    WatchHub* hub = nullptr;
    WorkFeed* feed = nullptr;
    telemetry::Metrics* metrics = nullptr;
    // New separations are refused when they would leave less room on the disk, in bytes.
    int64_t min_free_bytes = kSpareBytes;
    // How long what has ended stays after its last use.
    absl::Duration retention = absl::InfiniteDuration();
    // A separation whose results are made early, and that has not gone on for so long, makes way
    // for another one.
    absl::Duration advance_patience = absl::Seconds(30);
    // The assembler's name, and where samples lie that do not come with their messages: what is
    // left of those of separations that have ended goes after a while. Null: nowhere.
    std::string name;
    const store::ObjectFolder* objects = nullptr;
    // The time of ends and uses.
    std::function<absl::Time()> clock = absl::Now;
    // Of the disk of a folder.
    std::function<absl::StatusOr<int64_t>(const std::string&)> free_bytes = store::FreeBytes;
  };

  // Opens the records and takes up what has not ended. Call it on the engine's thread. The engine
  // must outlive what runs on both executors. DATA_LOSS, and nothing is changed, when the records
  // are damaged, or lost while there are files.
  static absl::StatusOr<std::unique_ptr<Engine>> Create(const Options& options);

  // For the splitter; see AssemblerService.
  absl::StatusOr<internal::v1::OpenSeparationResponse> Open(
      const std::string& owner, const internal::v1::OpenSeparationRequest& request);
  absl::Status Plan(const internal::v1::PlanSeparationRequest& request);
  // Begins to take a song; null when it is there already. NOT_FOUND (UNKNOWN_SEPARATION), ABORTED
  // (STALE_ATTEMPT), INVALID_ARGUMENT (INVALID_SONG: there is to be no residual).
  absl::StatusOr<std::unique_ptr<SongIntake>> BeginSong(base::SeparationId id, int attempt);
  // Takes the finished file at `path`. NOT_FOUND, ABORTED.
  absl::Status TakeSong(base::SeparationId id, int attempt, const std::string& path);
  absl::Status Fail(const internal::v1::FailSeparationRequest& request);
  absl::Status SetWaiting(const internal::v1::ReportWaitingRequest& request);
  // Sends the listener the snapshot of a splitter's work and the retries that may have been lost,
  // then subscribes it.
  void Listen(const std::string& splitter, WorkFeed::Listener* listener);

  // For users; see SeparationService. A separation of another owner is as good as none.
  absl::StatusOr<v1::Separation> Get(const std::string& owner, base::SeparationId id);
  absl::StatusOr<v1::ListSeparationsResponse> List(const std::string& owner,
                                                   const v1::ListSeparationsRequest& request);
  absl::StatusOr<v1::ListChunksResponse> ListChunks(const std::string& owner,
                                                    const v1::ListChunksRequest& request);
  absl::StatusOr<v1::Separation> Cancel(const std::string& owner, base::SeparationId id);
  absl::Status Delete(const std::string& owner, base::SeparationId id);

  // Asking for a result is a use of the separation, which puts its expiry off.
  struct Download {
    v1::StemFile stem_file;
    std::string path;
  };
  absl::StatusOr<Download> FindDownload(const std::string& owner, const base::StemRef& stem);
  // Where the PCM of a stem comes from at this moment; see MakeFollowPlan.
  absl::StatusOr<FollowPlan> PlanFollow(const std::string& owner, const base::StemRef& stem);

  // A result from a worker. Once it is taken it can be acknowledged: it is safely joined or stored,
  // or superfluous.
  struct Offer {
    Result result;
    bool taken = false;
  };
  // Takes results of any separations. What is next in order is joined straight from memory, all of
  // it with one record. What is not is stored if `all`; otherwise it may be left, since its
  // neighbours may be on their way: offer it again with them. So is what was not taken for an error
  // (RESOURCE_EXHAUSTED: the disk is full).
  absl::Status OnResults(absl::Span<Offer> offers, bool all);

  // What is due: news that were held back, work that waited for room on the disk, and the expiry of
  // what was not used for long. Call it several times a second, with base::SteadyNow and the time
  // of the day: only what was noted down goes by the latter, which may be set.
  void Tick(absl::Time now, absl::Time of_day);

  // Breaks off the finishing; the next start takes it up again.
  void AbandonFinishing();

 private:
  // A separation that has not ended.
  struct Active {
    Job job;
    ChunkFiles files;
    std::unique_ptr<JoinPipeline> pipeline;  // while SEPARATING
    std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
    absl::Time told = absl::InfinitePast();  // when the watchers had their last news
    bool news_waiting = false;
    bool join_posted = false;                          // a join is on its way to this thread
    absl::Time join_again = absl::InfiniteFuture();    // the disk was full
    absl::Time finish_again = absl::InfiniteFuture();  // the disk was full

    // What makes the results of what is joined already, beside the rest of the separation.
    std::shared_ptr<Finisher> finisher;
    int64_t advanced = 0;                           // how many joined frames it was given
    absl::Time advanced_at = absl::InfinitePast();  // when it had last taken some
    bool advancing = false;                         // it is at work on its thread
    bool finish_late = false;  // no early finisher any more: all is done when all is joined
  };

  explicit Engine(const Options& options, std::unique_ptr<SeparationStore> store);

  absl::Status Recover();
  absl::Status Resume(base::SeparationId id);
  // Has what lies beside messages removed, of separations that have ended: not at once, since
  // workers that do not know it yet read and write there.
  void SweepObjects(absl::Time now);
  absl::StatusOr<Job> FindAny(base::SeparationId id);
  absl::StatusOr<Job> Find(const std::string& owner, base::SeparationId id);
  // The active separation, or null.
  Active* FindActive(base::SeparationId id);
  Active* FindActive(base::SeparationId id, int attempt);
  // The active separation at this attempt. NOT_FOUND (UNKNOWN_SEPARATION), ABORTED (STALE_ATTEMPT).
  absl::StatusOr<Active*> FindRunning(base::SeparationId id, int attempt);
  // FAILED_PRECONDITION (SONG_MISSING) when a residual lacks its song.
  static absl::Status CheckSong(const Job& job, const ChunkFiles& files);

  absl::StatusOr<bool> StartsAnew(const internal::v1::OpenSeparationRequest& request,
                                  const absl::StatusOr<Job>& known);
  absl::StatusOr<Job> NewJob(const std::string& owner,
                             const internal::v1::OpenSeparationRequest& request,
                             const absl::StatusOr<Job>& known);
  absl::Status CheckRoom(const internal::v1::OpenSeparationRequest& request) const;
  absl::Status Start(Job job);

  // Removes what has ended, as a user's Delete does. Files that are open for a download are read
  // on.
  absl::Status Remove(const Job& job);
  // Notes a use of what has ended; should that fail, the use still takes place.
  void Use(const Job& job);
  void RemoveExpired(absl::Time now, absl::Time of_day);
  absl::Status Expire(base::SeparationId id);

  // Results of one separation that are in memory only, by chunk and computed stem. What was
  // delivered twice is taken together, since either delivery may be one that cannot be acknowledged
  // any more.
  using Waiting = std::map<std::pair<int64_t, int>, std::vector<Offer*>>;

  // Takes what holds no samples, or superfluous ones; the others go to `waiting`.
  void Sort(Offer* offer, std::map<base::SeparationId, Waiting>* waiting,
            std::vector<Offer*>* failures);
  // `waiting`: the samples of the same separation that are in memory.
  absl::Status TakeFailure(Offer* offer, const Waiting& waiting);
  absl::Status RecordFailure(const Result& result, Active* active);
  // Takes them without using them.
  void Ignore(const Waiting& waiting);
  absl::Status TakeSamples(base::SeparationId id, bool all, Waiting* waiting);
  absl::Status StoreSamples(Active* active, Waiting* waiting);
  absl::Status StoreFirst(Active* active, size_t count, Waiting* waiting);
  // Joins what is there, on the disk or waiting, a few chunks at a time.
  void Join(base::SeparationId id, int attempt, Waiting* waiting);
  void JoinStored(base::SeparationId id, int attempt);
  absl::Status JoinSome(Active* active, Waiting* waiting);
  // Whether all stems of a chunk are stored or waiting.
  static bool CanJoin(const Job& job, int64_t chunk, const Waiting& waiting);
  void AfterJoin(Active* active, int64_t before);
  // Takes those before `end`, whose chunks are recorded by `save`, all or none.
  absl::Status Record(Active* active, Waiting::iterator end, Waiting* waiting,
                      const std::function<absl::Status(const std::set<int64_t>& chunks)>& save);
  void RemoveJoinedChunk(const Active& active, int64_t chunk) const;
  // Of passes before the one that the next needs. `from`: the first that may be there.
  void RemoveSummedPasses(const Active& active, int from) const;

  // Has the results made of what is joined, if few others do.
  void Advance(Active* active);
  // Whether one more may have its results made early: few have, or one has not gone on for long,
  // which then has them made in the end.
  bool MakeWayForFinisher();
  static void FinishLate(Active* active);
  void OnAdvanced(base::SeparationId id, int attempt, const ChunkFiles& files,
                  const absl::Status& status);
  absl::Status BeginFinishing(Active* active);
  void PostFinishing(Active* active);
  void RunFinishing(base::SeparationId id, int attempt, const ChunkFiles& files,
                    std::shared_ptr<Finisher> finisher);
  void OnFinished(base::SeparationId id, int attempt, const ChunkFiles& files,
                  absl::StatusOr<FinishResult> result);
  absl::Status Succeed(Active* active, const FinishResult& result);
  absl::Status FailNow(Active* active, const std::string& reason, const std::string& message);
  // Writes the last record, tells everybody, removes what is needed no more. `active` is gone
  // afterwards.
  absl::Status End(Active* active, v1::Separation separation);

  // Says that the separation waits for the disk, which gave this error.
  void WaitForDisk(Active* active, const absl::Status& status);
  // Says what the separation waits for; an empty text clears it.
  void SetWaitingFor(Active* active, const std::string& what);
  // Brings progress up to date, and tells those who watch, not too often.
  void Tell(Active* active, double finishing = 0);
  void Publish(Active* active);

  const Options options_;
  const std::unique_ptr<SeparationStore> store_;
  std::map<base::SeparationId, Active> active_;
  EngineMetrics metrics_;
  absl::Time sweep_again_ = absl::InfinitePast();
  absl::Time sweep_objects_again_ = absl::InfinitePast();  // far away while one is under way
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_ENGINE_H_
