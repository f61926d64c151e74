#ifndef UNBRAID_SERVICES_SPLITTER_SPLITTER_H_
#define UNBRAID_SERVICES_SPLITTER_SPLITTER_H_

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/audio/decoder.h"
#include "services/common/base/executor.h"
#include "services/common/base/steady.h"
#include "services/common/grpc/server.h"
#include "services/common/model/catalogue.h"
#include "services/common/store/disk_watch.h"
#include "services/common/store/folder_lock.h"
#include "services/common/store/object_folder.h"
#include "services/common/telemetry/metrics.h"
#include "services/splitter/assembler_client.h"
#include "services/splitter/broker.h"
#include "services/splitter/config.h"
#include "services/splitter/dispatcher.h"
#include "services/splitter/failure_reporter.h"
#include "services/splitter/job_store.h"
#include "services/splitter/jobs.h"
#include "services/splitter/pipeline.h"
#include "services/splitter/room.h"
#include "services/splitter/splitter_service.h"
#include "services/splitter/spools.h"
#include "services/splitter/track_store.h"
#include "services/splitter/uploads.h"
#include "services/splitter/work_watcher.h"

namespace unbraid::splitter {

// How uploaded files are decoded, and the containers that this can do (words of Track.container).
struct Decoding {
  audio::OpenAudio open;
  std::vector<std::string> containers;
};

// Everything of the splitter but the broker and the HTTP server: what component tests run.
class Splitter {
 public:
  // Opens the databases and the folders, and begins to serve and to work. `sink`, `depths` and
  // `metrics` are not owned and must outlive it; the sink must have decided every message before
  // this is destroyed.
  static absl::StatusOr<std::unique_ptr<Splitter>> Create(
      const Config& config, const model::Catalogue& catalogue, const Decoding& decoding,
      ChunkSink* sink, QueueDepths* depths, telemetry::Metrics* metrics,
      Room::FreeBytes free_bytes = store::FreeBytes);
  // Stops without grace.
  ~Splitter();

  // The bound gRPC address.
  const base::HostPort& address() const { return server_->address(); }

  // OK while the assembler is connected.
  absl::Status assembler_state() const { return watcher_->state(); }

  // OK while the disk is not nearly full.
  absl::Status disk_state() const { return disk_->state(); }

  // For the reader of dead letters.
  const JobStore* job_store() const { return job_store_.get(); }
  FailureReporter* failures() { return &failures_; }
  base::Executor* calls() { return &background_; }

  // In order: takes no new calls and lets running ones end within `grace` (uploads are told to come
  // back and end after the part in flight); leaves the assembler; gives out no more chunks; stops
  // preparing; breaks off what still waits for the assembler. May be called twice.
  void Stop(absl::Duration grace);

  // After Stop, and after the sink has decided everything: leaves a note of what the broker has.
  void LeaveNote();

 private:
  Splitter(const Config& config, const model::Catalogue& catalogue, const Decoding& decoding,
           ChunkSink* sink, QueueDepths* depths, telemetry::Metrics* metrics,
           Room::FreeBytes free_bytes);

  absl::Status OpenFiles();
  absl::Status OpenUploads();
  // Bytes that preparations have still to write.
  absl::StatusOr<int64_t> SpoolsStillNeed() const;
  absl::Status Start();
  Pipeline::Parts PipelineParts();
  void RunTicks();

  const Config config_;
  const model::Catalogue catalogue_;
  const Decoding decoding_;
  ChunkSink* const sink_;
  telemetry::Metrics* const metrics_;
  const Room::FreeBytes free_bytes_;

  const std::shared_ptr<grpc::Channel> channel_;
  GrpcAssemblerClient assembler_;
  SendWindow window_;
  base::Executor unary_;
  base::Executor beginnings_;
  base::Executor parts_;
  base::Executor checks_;
  base::Executor background_;
  FailureReporter failures_;

  std::optional<store::FolderLock> lock_;  // before whatever is in the folder
  std::unique_ptr<store::DiskWatch> disk_;
  std::unique_ptr<Room> room_;
  std::unique_ptr<TrackStore> tracks_;
  std::unique_ptr<JobStore> job_store_;
  std::optional<Spools> spools_;
  std::optional<store::ObjectFolder> objects_;  // none: samples travel in messages
  std::unique_ptr<Uploads> uploads_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<Jobs> jobs_;
  std::unique_ptr<WorkWatcher> watcher_;
  std::unique_ptr<SplitterServiceImpl> service_;
  std::unique_ptr<grpc_util::Server> server_;

  base::StopSignal stopping_;
  std::thread ticks_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_SPLITTER_H_
