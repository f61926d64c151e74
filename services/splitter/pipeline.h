#ifndef UNBRAID_SERVICES_SPLITTER_PIPELINE_H_
#define UNBRAID_SERVICES_SPLITTER_PIPELINE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/base/executor.h"
#include "services/common/model/catalogue.h"
#include "services/common/telemetry/metrics.h"
#include "services/splitter/assembler_client.h"
#include "services/splitter/cancel_notices.h"
#include "services/splitter/dispatcher.h"
#include "services/splitter/failure_reporter.h"
#include "services/splitter/job_store.h"
#include "services/splitter/preparation.h"
#include "services/splitter/room.h"
#include "services/splitter/spools.h"
#include "services/splitter/track_store.h"

namespace unbraid::splitter {

struct PipelineOptions {
  audio::OpenAudio open_audio;
  int64_t min_free_bytes = 0;
  absl::Duration stall_after = absl::Seconds(60);
  // Pause before something is tried again that the disk or the assembler did not allow.
  absl::Duration retry_pause = absl::Seconds(2);
};

// The way of an opened separation through the splitter: prepared (decoded into its spool), the song
// itself sent if there is to be a residual, planned (the assembler knows how many chunks there
// are), then given out by the dispatcher. A long track is planned, and its beginning given out,
// while the rest is being prepared. Two threads prepare; all preparations take turns on them, a
// slice of time each, so that a short song does not wait behind a long one. Two more send songs, so
// that the calls of others do not wait behind those. Thread-safe.
class Pipeline {
 public:
  // Nothing is owned. `calls` runs what waits for the assembler.
  struct Parts {
    JobStore* jobs;
    TrackStore* tracks;
    const model::Catalogue* catalogue;
    const Spools* spools;
    AssemblerClient* assembler;
    Dispatcher* dispatcher;
    SendWindow* window;
    ChunkSink* sink;
    FailureReporter* failures;
    base::Executor* calls;
    Room* room;
  };

  Pipeline(const Parts& parts, const PipelineOptions& options, telemetry::Metrics* metrics);
  // Stops.
  ~Pipeline();

  // Begins to work on a job. `done`: chunks that the assembler has already. A job that is being
  // worked on at this attempt goes on undisturbed; an older attempt of it is given up.
  void Activate(const Job& job, std::vector<bool> done);

  // Whether the job is being worked on, at this attempt.
  bool Holds(base::SeparationId id, int32_t attempt) const;

  // The assembler has told which chunks of a held job are done. If it seemed to be stalled and has
  // not moved since, the missing ones are sent again.
  void OnDone(base::SeparationId id, int32_t attempt, std::vector<bool> done);

  // A worker reported a failure of a chunk, and the assembler wants it tried again.
  void Retry(base::SeparationId id, int32_t attempt, int64_t chunk, int32_t try_number);

  // The separation has ended, up to this attempt: stops all work on it, removes its spool, and
  // tells the workers.
  void Drop(base::SeparationId id, int32_t attempt);

  // The separation cannot go on: has the assembler end it.
  void Fail(base::SeparationId id, int32_t attempt, const absl::Status& why);

  // To be called a few times a second: retries, reports what separations wait for, finds stalled
  // ones. True: the assembler should be asked for a fresh snapshot. May wait for the broker.
  [[nodiscard]] bool Tick();

  // Ends the threads; what they were at begins anew after a restart. May be called twice.
  void Stop();

 private:
  enum class Stage { kPreparing, kSendingSong, kPlanning, kSending };

  using QueueLooks = std::map<base::PackageId, absl::StatusOr<QueueCounts>>;

  struct Active {
    Job job;
    std::vector<bool> done;
    std::map<int64_t, int32_t> retries;  // chunk to try, asked for before anything could be sent
    Stage stage = Stage::kPreparing;
    bool running = false;   // an executor works on it, or soon will
    std::string part_path;  // what a preparation that may be given out early writes to
    bool growing = false;   // given out while it is being prepared
    int decoder_deaths = 0;
    absl::Time not_before = absl::InfinitePast();
    std::string obstacle;                 // why it must wait, of our own knowledge
    std::optional<std::string> reported;  // what the assembler was told; nothing: unknown
    absl::Time reported_at = absl::InfinitePast();
    bool reporting = false;  // a report is on its way, which a later one must not overtake
    absl::Time last_news = absl::InfinitePast();
    bool stalled = false;  // a snapshot has been asked for
    // Of what it sends to the assembler.
    std::shared_ptr<grpc_util::Cancellation> cancellation =
        std::make_shared<grpc_util::Cancellation>();
  };

  // Posts the next step of an item whose turn it is.
  void Continue(Active* active) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Job> Current(base::SeparationId id, int32_t attempt) const;
  Active* Find(base::SeparationId id, int32_t attempt) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Prepare(base::SeparationId id, int32_t attempt, std::shared_ptr<Preparation> run);
  // False: there are as many preparations as there may be, and Prepare is posted when one has
  // ended.
  bool TakePlace(base::SeparationId id, int32_t attempt);
  void GivePlace();
  // Posts Prepare for the one that has waited longest, if there is a place.
  void WakeNext();
  absl::StatusOr<std::shared_ptr<Preparation>> BeginPreparation(const Job& job);
  void BeginEarly(const Job& job, const Preparation& run);
  void PlanEarly(const Job& job, const std::string& part_path);
  void OnPlannedEarly(const Job& job, const std::string& part_path, int64_t chunks);
  void GiveOutMore(const Job& job, const Preparation& run);
  void EndEarly(Active* active) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PassRetriesOn(Active* active) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnNotPrepared(const Job& job, const absl::Status& status);
  void OnPrepared(Job job, const Prepared& prepared);
  static Stage AfterPreparation(const Job& job);
  void SendSong(base::SeparationId id, int32_t attempt);
  void OnSongMissing(const Job& job, const absl::Status& status);
  void OnRefused(const Job& job, const absl::Status& status);
  void OnObstacle(const Job& job, const absl::Status& status);
  void Plan(base::SeparationId id, int32_t attempt);
  void OnPlanned(const Job& job, int64_t chunks);
  void ReportWaiting(const Job& job, const std::string& text);
  std::optional<base::PackageId> PackageOf(base::SeparationId id) const;
  QueueLooks LookAtQueues(const std::vector<Job>& jobs);
  std::vector<Job> ContinueAll();
  bool IsStalled(const Job& job, const absl::StatusOr<QueueCounts>& chunks);
  std::string TextFor(const Job& job, const absl::StatusOr<QueueCounts>& chunks);

  const Parts parts_;
  const PipelineOptions options_;
  telemetry::Metrics* const metrics_;
  prometheus::Gauge& active_gauge_;

  mutable absl::Mutex mutex_;
  std::map<base::SeparationId, Active> active_ ABSL_GUARDED_BY(mutex_);
  int preparations_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::pair<base::SeparationId, int32_t>> waiting_for_place_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  CancelNotices notices_;
  base::Executor preparing_;
  base::Executor songs_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_PIPELINE_H_
