#include "services/assembler/engine.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "services/assembler/progress.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "services/common/telemetry/log.h"

// The engine's answers to calls; what results do stands in engine_results.cc.

namespace unbraid::assembler {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int64_t kSpareBytes = int64_t{64} << 20;
constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 1000;

absl::Status Unknown(base::SeparationId id) {
  return base::Error(
      absl::StatusCode::kNotFound, "UNKNOWN_SEPARATION",
      absl::StrCat("There is no ", base::SeparationName(id),
                   ". It may have been deleted; `unbraid list` shows what there is."));
}

absl::StatusOr<int> PageSize(int wanted) {
  if (wanted == 0) return kDefaultPageSize;
  if (wanted > 0 && wanted <= kMaxPageSize) return wanted;
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_SIZE",
                     absl::StrCat("A page has 1 to ", kMaxPageSize, " entries."));
}

v1::Chunk::State StateOf(const Job& job, int64_t chunk) {
  if (chunk < job.joined) return v1::Chunk::STATE_JOINED;
  if (job.ChunkDone(chunk)) return v1::Chunk::STATE_DONE;
  return job.chunk_records[static_cast<size_t>(chunk)].stems_done != 0 ? v1::Chunk::STATE_PARTIAL
                                                                       : v1::Chunk::STATE_PENDING;
}

v1::Chunk ToProto(const Job& job, int64_t index) {
  constexpr int64_t kMillis = 1000;
  const ChunkRecord& record = job.chunk_records[static_cast<size_t>(index)];
  const int64_t rate = job.open.model_rate_hz();
  const int64_t offset = index * (job.open.window_frames() - job.open.overlap_frames());
  const int64_t frames = std::min<int64_t>(job.open.window_frames(), job.model_frames - offset);
  v1::Chunk chunk;
  chunk.set_index(index);
  *chunk.mutable_start() = TimeUtil::MillisecondsToDuration(offset * kMillis / rate);
  *chunk.mutable_length() = TimeUtil::MillisecondsToDuration(frames * kMillis / rate);
  chunk.set_state(StateOf(job, index));
  chunk.set_worker(record.worker);
  chunk.set_attempts(record.tries);
  chunk.set_result_bytes(record.bytes);
  if (record.stems_done != 0) {
    *chunk.mutable_compute_time() =
        TimeUtil::MicrosecondsToDuration(static_cast<int64_t>(record.compute_seconds * 1e6));
  }
  return chunk;
}

}  // namespace

Engine::Engine(const Options& options, std::unique_ptr<SeparationStore> store)
    : options_(options),
      store_(std::move(store)),
      results_(options.metrics->Counter("unbraid_assembler_results_total", "Results stored")),
      duplicates_(options.metrics->Counter("unbraid_assembler_ignored_results_total",
                                           "Results that were duplicates or came too late")),
      failures_(options.metrics->Counter("unbraid_assembler_failed_results_total",
                                         "Failures of chunks that workers reported")),
      joined_chunks_(
          options.metrics->Counter("unbraid_assembler_joined_chunks_total", "Chunks joined")),
      active_gauge_(options.metrics->Gauge("unbraid_assembler_active_separations",
                                           "Separations that have not ended")) {}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(const Options& options) {
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(options.data_folder));
  UNBRAID_ASSIGN_OR_RETURN(auto store,
                           SeparationStore::Open(options.data_folder + "/assembler.sqlite"));
  std::unique_ptr<Engine> engine(new Engine(options, std::move(store)));
  UNBRAID_RETURN_IF_ERROR(engine->Recover());
  return engine;
}

absl::Status Engine::Recover() {
  UNBRAID_ASSIGN_OR_RETURN(const auto known, store_->IdsWithFiles());
  UNBRAID_RETURN_IF_ERROR(RemoveOrphans(options_.data_folder, known));
  UNBRAID_ASSIGN_OR_RETURN(const auto active, store_->ActiveIds());
  for (base::SeparationId id : active) UNBRAID_RETURN_IF_ERROR(Resume(id));
  return absl::OkStatus();
}

absl::Status Engine::Resume(base::SeparationId id) {
  UNBRAID_ASSIGN_OR_RETURN(Job job, store_->Load(id));
  telemetry::Info("taking up a separation",
                  {{"separation", id.ToString()}, {"chunks_joined", job.joined}});
  job.done_before = job.ChunksDone();
  if (job.model_frames > 0) job.working_since = absl::Now();
  ChunkFiles files(options_.data_folder, id, job.attempt());
  UNBRAID_RETURN_IF_ERROR(files.MakeFolders());
  Active& active = active_.emplace(id, Active{std::move(job), files, nullptr}).first->second;
  active_gauge_.Set(static_cast<double>(active_.size()));
  if (active.job.separation.state() == v1::Separation::STATE_FINISHING) {
    PostFinishing(active);
    return absl::OkStatus();
  }
  if (active.job.model_frames == 0) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<JoinPipeline>> pipeline = JoinPipeline::Create(active.job, files);
  if (!pipeline.ok()) {
    // Its files are not what its record says: this one is lost, the others are not.
    return FailNow(&active, "STORAGE_DAMAGED", std::string(pipeline.status().message()));
  }
  active.pipeline = *std::move(pipeline);
  const absl::Status joined = JoinReady(&active);
  // With a full disk the join is taken up again by the next result.
  return absl::IsResourceExhausted(joined) ? absl::OkStatus() : joined;
}

Engine::Active* Engine::FindActive(base::SeparationId id) {
  const auto found = active_.find(id);
  return found == active_.end() ? nullptr : &found->second;
}

Engine::Active* Engine::FindActive(base::SeparationId id, int attempt) {
  Active* active = FindActive(id);
  return active != nullptr && active->job.attempt() == attempt ? active : nullptr;
}

absl::StatusOr<Job> Engine::Find(const std::string& owner, base::SeparationId id) {
  if (const Active* active = FindActive(id)) {
    if (active->job.owner != owner) return Unknown(id);
    return active->job;
  }
  UNBRAID_ASSIGN_OR_RETURN(Job job, store_->Load(id));
  if (job.owner != owner) return Unknown(id);
  return job;
}

absl::Status Engine::CheckSpace(const internal::v1::OpenSeparationRequest& request) const {
  const v1::Track& track = request.track();
  const double seconds = static_cast<double>(track.frames()) / track.sample_rate_hz();
  const double frame_bytes = track.channels() * static_cast<double>(sizeof(float));
  const double joined =
      seconds * request.model_rate_hz() * frame_bytes * request.computed_stems_size();
  const double outputs =
      static_cast<double>(track.frames()) * frame_bytes * (request.separation().stems_size() + 1);
  const auto needed = static_cast<int64_t>(joined + outputs) + kSpareBytes;
  UNBRAID_ASSIGN_OR_RETURN(const int64_t free, store::FreeBytes(options_.data_folder));
  if (free >= needed) return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kResourceExhausted, "DISK_FULL",
      absl::StrCat("The assembler's disk has ", free >> 20, " MiB left and this separation needs ",
                   needed >> 20, " MiB. Delete old separations, or try again later."),
      {{"missing_bytes", absl::StrCat(needed - free)}});
}

absl::StatusOr<internal::v1::OpenSeparationResponse> Engine::Open(
    const std::string& owner, const internal::v1::OpenSeparationRequest& request) {
  const base::SeparationId id(request.separation_id());
  internal::v1::OpenSeparationResponse response;
  absl::StatusOr<Job> known = Find(owner, id);
  if (!known.ok() && !absl::IsNotFound(known.status())) return known.status();
  if (known.ok() && known->open.fingerprint_sha256() != request.fingerprint_sha256()) {
    return base::Error(absl::StatusCode::kFailedPrecondition, "ID_COLLISION",
                       "Another separation has the same id; change an option slightly.");
  }
  const bool anew = !known.ok() || (known->ended() &&
                                    known->separation.state() != v1::Separation::STATE_SUCCEEDED);
  if (anew) {
    UNBRAID_RETURN_IF_ERROR(CheckSpace(request));
    Job job;
    job.id = id;
    job.owner = owner;
    job.open = request;
    job.separation = request.separation();
    job.separation.set_name(base::SeparationName(id));
    job.separation.set_model_sha256(request.model_sha256());
    job.separation.set_state(v1::Separation::STATE_PREPARING);
    job.separation.set_attempt(known.ok() ? known->attempt() + 1 : 1);
    job.separation.set_version(known.ok() ? known->separation.version() : 0);
    *job.separation.mutable_create_time() =
        known.ok() ? known->separation.create_time()
                   : TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now()));
    UNBRAID_RETURN_IF_ERROR(Start(std::move(job)));
  }
  UNBRAID_ASSIGN_OR_RETURN(const Job job, Find(owner, id));
  *response.mutable_separation() = job.separation;
  response.set_attempt(job.attempt());
  response.set_started(anew);
  return response;
}

absl::Status Engine::Start(Job job) {
  const base::SeparationId id = job.id;
  const ChunkFiles files(options_.data_folder, id, job.attempt());
  UNBRAID_RETURN_IF_ERROR(RemoveSeparationFiles(options_.data_folder, id));
  UNBRAID_RETURN_IF_ERROR(files.MakeFolders());
  Active active{std::move(job), files, nullptr};
  UpdateProgress(absl::Now(), 0, &active.job);
  UNBRAID_RETURN_IF_ERROR(store_->Save(active.job, /*forget_chunks=*/true));
  telemetry::Info("separation opened", {{"separation", id.ToString()},
                                        {"attempt", active.job.attempt()},
                                        {"model", active.job.separation.model()}});
  const auto inserted = active_.insert_or_assign(id, std::move(active)).first;
  active_gauge_.Set(static_cast<double>(active_.size()));
  options_.hub->Publish(id, inserted->second.job.separation);
  options_.feed->Publish(inserted->second.job.open.splitter(), ActiveNews(inserted->second.job));
  return absl::OkStatus();
}

absl::Status Engine::Plan(const internal::v1::PlanSeparationRequest& request) {
  const base::SeparationId id(request.separation_id());
  Active* active = FindActive(id, request.attempt());
  if (active == nullptr) {
    UNBRAID_RETURN_IF_ERROR(store_->Load(id).status());
    return base::Error(absl::StatusCode::kAborted, "STALE_ATTEMPT", "This attempt has ended.");
  }
  Job& job = active->job;
  if (job.model_frames > 0) {
    if (job.model_frames == request.model_frames() && job.chunks == request.chunks())
      return absl::OkStatus();
    return base::Error(absl::StatusCode::kFailedPrecondition, "PLAN_CHANGED",
                       "The track was cut in another way before.");
  }
  job.model_frames = request.model_frames();
  job.chunks = request.chunks();
  job.chunk_records.assign(static_cast<size_t>(job.chunks), ChunkRecord());
  job.working_since = absl::Now();
  job.separation.set_state(v1::Separation::STATE_SEPARATING);
  UNBRAID_ASSIGN_OR_RETURN(active->pipeline, JoinPipeline::Create(job, active->files));
  return SaveAndTell(active);
}

absl::Status Engine::Fail(const internal::v1::FailSeparationRequest& request) {
  const base::SeparationId id(request.separation_id());
  if (Active* active = FindActive(id, request.attempt())) {
    return FailNow(active, request.failure().reason(), request.failure().message());
  }
  return store_->Load(id).status();
}

absl::Status Engine::SetWaiting(const internal::v1::ReportWaitingRequest& request) {
  const base::SeparationId id(request.separation_id());
  Active* active = FindActive(id, request.attempt());
  if (active == nullptr) return store_->Load(id).status();
  active->job.separation.mutable_progress()->set_waiting_for(request.waiting_for());
  Tell(active);
  return absl::OkStatus();
}

void Engine::Listen(const std::string& splitter, WorkFeed::Listener* listener) {
  for (const auto& [id, active] : active_) {
    if (active.job.open.splitter() == splitter) listener->OnWork(ActiveNews(active.job));
  }
  listener->OnWork(SnapshotEndNews());
  options_.feed->Subscribe(splitter, listener);
}

absl::StatusOr<v1::Separation> Engine::Get(const std::string& owner, base::SeparationId id) {
  UNBRAID_ASSIGN_OR_RETURN(Job job, Find(owner, id));
  return std::move(job.separation);
}

absl::StatusOr<v1::ListSeparationsResponse> Engine::List(
    const std::string& owner, const v1::ListSeparationsRequest& request) {
  UNBRAID_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  if (!request.track().empty())
    UNBRAID_RETURN_IF_ERROR(base::ParseTrackName(request.track()).status());
  UNBRAID_ASSIGN_OR_RETURN(SeparationStore::Page page,
                           store_->List(owner, request.track(), page_size, request.page_token()));
  v1::ListSeparationsResponse response;
  for (v1::Separation& separation : page.separations) {
    // The record of an active one is as old as its last change of state.
    const absl::StatusOr<base::SeparationId> id = base::ParseSeparationName(separation.name());
    const Active* active = id.ok() ? FindActive(*id) : nullptr;
    *response.add_separations() =
        active != nullptr ? active->job.separation : std::move(separation);
  }
  response.set_next_page_token(page.next_token);
  return response;
}

absl::StatusOr<v1::ListChunksResponse> Engine::ListChunks(const std::string& owner,
                                                          const v1::ListChunksRequest& request) {
  UNBRAID_ASSIGN_OR_RETURN(const auto id, base::ParseSeparationName(request.parent()));
  UNBRAID_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  UNBRAID_ASSIGN_OR_RETURN(const Job job, Find(owner, id));
  int64_t first = 0;
  if (!request.page_token().empty() &&
      (!absl::SimpleAtoi(request.page_token(), &first) || first < 0)) {
    return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_TOKEN",
                       "The page token is none of this service's; begin again without one.");
  }
  const int64_t end = std::min(job.chunks, first + page_size);
  v1::ListChunksResponse response;
  for (int64_t index = first; index < end; ++index) *response.add_chunks() = ToProto(job, index);
  if (end < job.chunks) response.set_next_page_token(absl::StrCat(end));
  return response;
}

absl::StatusOr<v1::Separation> Engine::Cancel(const std::string& owner, base::SeparationId id) {
  UNBRAID_RETURN_IF_ERROR(Find(owner, id).status());
  if (Active* active = FindActive(id)) {
    UNBRAID_RETURN_IF_ERROR(End(active, v1::Separation::STATE_CANCELLED));
  }
  return Get(owner, id);
}

absl::Status Engine::Delete(const std::string& owner, base::SeparationId id) {
  UNBRAID_RETURN_IF_ERROR(Cancel(owner, id).status());
  UNBRAID_RETURN_IF_ERROR(store_->Delete(id));
  options_.hub->Close(id);
  return RemoveSeparationFiles(options_.data_folder, id);
}

absl::StatusOr<Engine::Download> Engine::FindDownload(const std::string& owner,
                                                      const base::StemRef& stem) {
  UNBRAID_ASSIGN_OR_RETURN(const Job job, Find(owner, stem.separation));
  if (job.separation.state() != v1::Separation::STATE_SUCCEEDED) {
    return base::Error(absl::StatusCode::kFailedPrecondition, "NOT_READY",
                       absl::StrCat(job.separation.name(),
                                    " has no results yet; watch it until it is SUCCEEDED."));
  }
  std::vector<std::string> names;
  for (const v1::StemFile& output : job.separation.outputs()) {
    if (output.stem() == stem.stem) {
      const ChunkFiles files(options_.data_folder, job.id, job.attempt());
      return Download{output, files.OutputPath(output.stem(), output.extension())};
    }
    names.push_back(output.stem());
  }
  return base::Error(absl::StatusCode::kNotFound, "UNKNOWN_STEM",
                     absl::StrCat(job.separation.name(), " has no output \"", stem.stem,
                                  "\". It has: ", absl::StrJoin(names, ", "), "."));
}

}  // namespace unbraid::assembler
