#include "services/splitter/splitter.h"

#include <algorithm>
#include <utility>

#include "services/common/base/host_port.h"
#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "services/common/telemetry/log.h"

namespace unbraid::splitter {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(500);
constexpr absl::Duration kDepthMaxAge = absl::Milliseconds(200);
constexpr int kUnaryThreads = 8;
constexpr int kBeginningThreads = 2;
constexpr int kPartThreads = 4;
constexpr int kCheckThreads = 2;
constexpr int kBackgroundThreads = 4;

}  // namespace

absl::StatusOr<std::unique_ptr<Splitter>> Splitter::Create(
    const Config& config, const model::Catalogue& catalogue, const Decoding& decoding,
    ChunkSink* sink, QueueDepths* depths, telemetry::Metrics* metrics, Room::FreeBytes free_bytes) {
  std::unique_ptr<Splitter> splitter(
      new Splitter(config, catalogue, decoding, sink, depths, metrics, std::move(free_bytes)));
  UNBRAID_RETURN_IF_ERROR(splitter->OpenFiles());
  UNBRAID_RETURN_IF_ERROR(splitter->Start());
  return splitter;
}

Splitter::Splitter(const Config& config, const model::Catalogue& catalogue,
                   const Decoding& decoding, ChunkSink* sink, QueueDepths* depths,
                   telemetry::Metrics* metrics, Room::FreeBytes free_bytes)
    : config_(config),
      catalogue_(catalogue),
      decoding_(decoding),
      sink_(sink),
      metrics_(metrics),
      free_bytes_(std::move(free_bytes)),
      channel_(grpc_util::Connect(config.assembler)),
      assembler_(channel_),
      window_(depths, kDepthMaxAge),
      unary_("unary", kUnaryThreads),
      beginnings_("upload-beginnings", kBeginningThreads),
      parts_("upload-parts", kPartThreads),
      checks_("upload-checks", kCheckThreads),
      background_("background", kBackgroundThreads),
      failures_(&assembler_, &background_) {}

Splitter::~Splitter() { Stop(absl::ZeroDuration()); }

absl::Status Splitter::OpenFiles() {
  UNBRAID_ASSIGN_OR_RETURN(lock_, store::FolderLock::Take(config_.data));
  TrackStore::Options keep;
  keep.retention = config::TimeToLive(config_.track_retention);
  UNBRAID_ASSIGN_OR_RETURN(tracks_, TrackStore::Open(config_.data, keep));
  UNBRAID_ASSIGN_OR_RETURN(job_store_, JobStore::Open(config_.data));
  UNBRAID_ASSIGN_OR_RETURN(spools_, Spools::Create(config_.data));
  UNBRAID_ASSIGN_OR_RETURN(objects_, store::OpenObjectFolder(config_.object_folder));
  disk_ = std::make_unique<store::DiskWatch>(config_.data, config_.min_free_bytes);
  room_ = std::make_unique<Room>(config_.data, config_.min_free_bytes, free_bytes_);
  room_->Count([this] { return SpoolsStillNeed(); });
  return OpenUploads();
}

absl::StatusOr<int64_t> Splitter::SpoolsStillNeed() const {
  UNBRAID_ASSIGN_OR_RETURN(const int64_t unprepared, job_store_->UnpreparedBytes());
  UNBRAID_ASSIGN_OR_RETURN(const int64_t written, spools_->UnfinishedBytes());
  return std::max<int64_t>(0, unprepared - written);
}

absl::Status Splitter::OpenUploads() {
  UploadLimits limits;
  limits.open_audio = decoding_.open;
  limits.containers = decoding_.containers;
  limits.max_bytes = config_.max_upload_bytes;
  limits.max_duration = config_.max_duration;
  limits.retention = config_.upload_retention;
  limits.owner_quota_bytes = config_.owner_quota_bytes;
  UNBRAID_ASSIGN_OR_RETURN(
      uploads_, Uploads::Create(config_.data, limits, tracks_.get(), room_.get(), metrics_));
  return absl::OkStatus();
}

Pipeline::Parts Splitter::PipelineParts() {
  return {job_store_.get(), tracks_.get(),     &catalogue_, &*spools_,
          &assembler_,      dispatcher_.get(), &window_,    sink_,
          &failures_,       &background_,      room_.get()};
}

absl::Status Splitter::Start() {
  dispatcher_ = std::make_unique<Dispatcher>(
      sink_, &window_, metrics_,
      [this](base::SeparationId id, int32_t attempt, const absl::Status& why) {
        pipeline_->Fail(id, attempt, why);
      },
      objects_ ? &*objects_ : nullptr);
  PipelineOptions options;
  options.open_audio = decoding_.open;
  options.min_free_bytes = config_.min_free_bytes;
  options.stall_after = config_.stall_after;
  pipeline_ = std::make_unique<Pipeline>(PipelineParts(), options, metrics_);
  jobs_ = std::make_unique<Jobs>(PipelineParts(), pipeline_.get(), config_.name);
  watcher_ = std::make_unique<WorkWatcher>(channel_, config_.name, jobs_.get());
  UNBRAID_ASSIGN_OR_RETURN(std::vector<GivenOut> given_out, TakeGivenOut(config_.data));
  UNBRAID_RETURN_IF_ERROR(jobs_->Recover(std::move(given_out)));
  service_ = std::make_unique<SplitterServiceImpl>(
      SplitterServiceImpl::Parts{config_.name,
                                 tracks_.get(),
                                 uploads_.get(),
                                 jobs_.get(),
                                 sink_,
                                 &window_,
                                 &catalogue_,
                                 [this] { return watcher_->state(); },
                                 [this] { return disk_->state(); },
                                 &unary_,
                                 {&beginnings_, &parts_, &checks_}});
  grpc_util::ServerOptions server;
  UNBRAID_ASSIGN_OR_RETURN(server.listen, base::ParseHostPort(config_.listen));
  server.services = {service_.get()};
  UNBRAID_ASSIGN_OR_RETURN(server_, grpc_util::Server::Start(server));
  dispatcher_->Start();
  watcher_->Start();
  ticks_ = std::thread([this] { RunTicks(); });
  server_->SetServing(true);
  return absl::OkStatus();
}

void Splitter::RunTicks() {
  while (!stopping_.Pause(kTick)) {
    disk_->Look();
    sink_->Probe();
    failures_.Tick();
    uploads_->Sweep();
    uploads_->EndSilent();
    jobs_->Tick();
    jobs_->ExpireTracks();
    if (pipeline_->Tick()) watcher_->Reopen();
  }
}

void Splitter::Stop(absl::Duration grace) {
  if (server_ != nullptr) {
    server_->SetServing(false);
    uploads_->Drain();
    // What waits for an assembler that does not answer ends with the grace period as well.
    base::StopSignal ended;
    std::thread watch([&] {
      if (!ended.Pause(grace)) assembler_.Stop();
    });
    server_->Shutdown(grace);
    ended.Stop();
    watch.join();
  }
  stopping_.Stop();
  assembler_.Stop();
  if (ticks_.joinable()) ticks_.join();
  if (watcher_ != nullptr) watcher_->Stop();
  if (dispatcher_ != nullptr) dispatcher_->Stop();
  if (pipeline_ != nullptr) pipeline_->Stop();
  background_.Stop();
  unary_.Stop();
  beginnings_.Stop();
  parts_.Stop();
  checks_.Stop();
}

void Splitter::LeaveNote() {
  if (dispatcher_ == nullptr) return;
  const absl::Status left = LeaveGivenOut(config_.data, dispatcher_->given_out());
  if (!left.ok()) telemetry::Warning("chunks will be sent again", {{"error", left}});
}

}  // namespace unbraid::splitter
