#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "services/assembler/engine.h"
#include "services/assembler/progress.h"
#include "services/assembler/space.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "services/common/telemetry/log.h"

// Calls that change a separation: the splitter's, and a user's cancel and delete.

namespace unbraid::assembler {
namespace {

using google::protobuf::util::TimeUtil;

// `planned` is the job with the plan in it.
absl::Status CheckPlan(const Job& planned) {
  if (planned.model_frames > 0 && planned.chunks == planned.passes().ChunkCount())
    return absl::OkStatus();
  return base::Error(absl::StatusCode::kInvalidArgument, "BAD_REQUEST",
                     "The number of chunks does not follow from the track's frames.");
}

}  // namespace

absl::Status Engine::CheckRoom(const internal::v1::OpenSeparationRequest& request) const {
  int64_t promised = 0;
  for (const auto& [id, active] : active_) {
    promised += std::max<int64_t>(StillNeededBytes(active.job) - active.files.OutputBytes(), 0);
  }
  UNBRAID_ASSIGN_OR_RETURN(const int64_t free, options_.free_bytes(options_.data_folder));
  return CheckSpace(NeededBytes(request), promised, free, options_.min_free_bytes);
}

absl::StatusOr<internal::v1::OpenSeparationResponse> Engine::Open(
    const std::string& owner, const internal::v1::OpenSeparationRequest& request) {
  UNBRAID_RETURN_IF_ERROR(CheckOpen(request));
  const base::SeparationId id(request.separation_id());
  const absl::StatusOr<Job> known = FindAny(id);
  if (!known.ok() && !absl::IsNotFound(known.status())) return known.status();
  if (known.ok() &&
      (known->owner != owner || known->open.fingerprint_sha256() != request.fingerprint_sha256())) {
    return base::Error(absl::StatusCode::kFailedPrecondition, "ID_COLLISION",
                       "Another separation has the same id; change an option slightly.");
  }
  UNBRAID_ASSIGN_OR_RETURN(const bool anew, StartsAnew(request, known));
  if (anew) {
    UNBRAID_RETURN_IF_ERROR(CheckRoom(request));
    UNBRAID_ASSIGN_OR_RETURN(Job job, NewJob(owner, request, known));
    UNBRAID_RETURN_IF_ERROR(Start(std::move(job)));
  } else {
    Use(*known);
  }
  UNBRAID_ASSIGN_OR_RETURN(const Job job, FindAny(id));
  internal::v1::OpenSeparationResponse response;
  *response.mutable_separation() = job.separation;
  response.set_attempt(job.attempt());
  response.set_started(anew);
  return response;
}

// A separation that has come to nothing starts anew, but not by an opening that is repeated.
absl::StatusOr<bool> Engine::StartsAnew(const internal::v1::OpenSeparationRequest& request,
                                        const absl::StatusOr<Job>& known) {
  const auto repeats = [&](int64_t creation) {
    return request.creation() != 0 && request.creation() == creation;
  };
  if (!known.ok()) {
    const base::SeparationId id(request.separation_id());
    UNBRAID_ASSIGN_OR_RETURN(const auto deleted, store_->FindDeleted(id));
    if (repeats(deleted.creation)) return UnknownSeparation(id);
    return true;
  }
  const bool succeeded = known->separation.state() == v1::Separation::STATE_SUCCEEDED;
  return known->ended() && !succeeded && !repeats(known->open.creation());
}

absl::StatusOr<Job> Engine::NewJob(const std::string& owner,
                                   const internal::v1::OpenSeparationRequest& request,
                                   const absl::StatusOr<Job>& known) {
  Job job;
  job.id = base::SeparationId(request.separation_id());
  job.owner = owner;
  job.open = request;
  job.separation = request.separation();
  job.separation.set_name(base::SeparationName(job.id));
  job.separation.set_model_sha256(request.model_sha256());
  job.separation.set_state(v1::Separation::STATE_PREPARING);
  // Attempts never begin again, not even after a deletion: workers and queues may still hold
  // chunks, results and cancel notices of the older ones.
  UNBRAID_ASSIGN_OR_RETURN(const auto deleted, store_->FindDeleted(job.id));
  job.separation.set_attempt(std::max(known.ok() ? known->attempt() : 0, deleted.last_attempt) + 1);
  job.separation.set_version(known.ok() ? known->separation.version() : 0);
  *job.separation.mutable_create_time() =
      known.ok() ? known->separation.create_time()
                 : TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now()));
  return job;
}

absl::Status Engine::Start(Job job) {
  const base::SeparationId id = job.id;
  const ChunkFiles files(options_.data_folder, id, job.attempt());
  UNBRAID_RETURN_IF_ERROR(RemoveSeparationFiles(options_.data_folder, id));
  UNBRAID_RETURN_IF_ERROR(files.MakeFolders());
  UpdateProgress(absl::Now(), 0, &job);
  UNBRAID_RETURN_IF_ERROR(store_->Save(job, /*forget_chunks=*/true));
  telemetry::Info("separation opened", {{"separation", id.ToString()},
                                        {"attempt", job.attempt()},
                                        {"model", job.separation.model()}});
  Active& active =
      active_.insert_or_assign(id, Active{std::move(job), files, nullptr}).first->second;
  metrics_.active.Set(static_cast<double>(active_.size()));
  Publish(&active);
  options_.feed->Publish(active.job.open.splitter(), ActiveNews(active.job));
  return absl::OkStatus();
}

absl::Status Engine::Plan(const internal::v1::PlanSeparationRequest& request) {
  const base::SeparationId id(request.separation_id());
  UNBRAID_ASSIGN_OR_RETURN(Active * active, FindRunning(id, request.attempt()));
  if (active->job.model_frames > 0) {
    if (active->job.model_frames == request.model_frames() &&
        active->job.chunks == request.chunks())
      return absl::OkStatus();
    return base::Error(absl::StatusCode::kFailedPrecondition, "PLAN_CHANGED",
                       "The track was cut in another way before.");
  }
  Job planned = active->job;
  planned.model_frames = request.model_frames();
  planned.chunks = request.chunks();
  UNBRAID_RETURN_IF_ERROR(CheckPlan(planned));
  UNBRAID_RETURN_IF_ERROR(CheckSong(active->job, active->files));
  planned.chunk_records.assign(static_cast<size_t>(planned.chunks), ChunkRecord());
  planned.working_since = absl::Now();
  planned.separation.set_state(v1::Separation::STATE_SEPARATING);
  UpdateProgress(absl::Now(), 0, &planned);
  UNBRAID_ASSIGN_OR_RETURN(auto pipeline, JoinPipeline::Create(planned, active->files));
  UNBRAID_RETURN_IF_ERROR(store_->Save(planned));
  active->job = std::move(planned);
  active->pipeline = std::move(pipeline);
  Publish(active);
  return absl::OkStatus();
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
  SetWaitingFor(active, request.waiting_for());
  return absl::OkStatus();
}

void Engine::Listen(const std::string& splitter, WorkFeed::Listener* listener) {
  for (const auto& [id, active] : active_) {
    if (active.job.open.splitter() == splitter) listener->OnWork(ActiveNews(active.job));
  }
  listener->OnWork(SnapshotEndNews());
  // Retries that were told while nobody listened: without their number a chunk would be sent as the
  // first try for ever, and its failures would be taken for old ones.
  for (const auto& [id, active] : active_) {
    const Job& job = active.job;
    if (job.open.splitter() != splitter) continue;
    for (int64_t chunk = job.joined; chunk < job.chunks; ++chunk) {
      if (job.chunk_records[static_cast<size_t>(chunk)].tries > 1 && !job.ChunkDone(chunk))
        listener->OnWork(RetryNews(job, chunk));
    }
  }
  options_.feed->Subscribe(splitter, listener);
}

absl::StatusOr<v1::Separation> Engine::Cancel(const std::string& owner, base::SeparationId id) {
  UNBRAID_RETURN_IF_ERROR(Find(owner, id).status());
  if (Active* active = FindActive(id)) {
    v1::Separation cancelled = active->job.separation;
    cancelled.set_state(v1::Separation::STATE_CANCELLED);
    absl::Status ended = End(active, cancelled);
    if (base::ReasonOf(ended) == "DISK_FULL") {
      // Its files go anyway, and make room for the record.
      FinishLate(active);
      UNBRAID_RETURN_IF_ERROR(active->files.RemoveEverything());
      ended = End(active, cancelled);
    }
    UNBRAID_RETURN_IF_ERROR(ended);
  }
  return Get(owner, id);
}

absl::Status Engine::Delete(const std::string& owner, base::SeparationId id) {
  UNBRAID_RETURN_IF_ERROR(Cancel(owner, id).status());
  UNBRAID_ASSIGN_OR_RETURN(const Job job, FindAny(id));
  return Remove(job);
}

}  // namespace unbraid::assembler
