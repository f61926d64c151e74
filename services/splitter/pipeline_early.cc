// How Pipeline gives out the beginning of a long track while the rest of it is being prepared, so
// that the time to the first result does not grow with the track.
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/chunk_cutter.h"
#include "services/splitter/pipeline.h"

namespace unbraid::splitter {
namespace {

// A shorter one is prepared before a worker could have made use of it.
constexpr int64_t kLongTrackSeconds = 20;

// Whether nothing that a chunk carries, and nothing that the assembler must have before the plan,
// depends on the end of the track.
bool MayBeginEarly(const Job& job, model::Normalisation normalisation, int64_t model_frames) {
  return normalisation == model::Normalisation::kNone && !job.open.separation().residual() &&
         model_frames >= kLongTrackSeconds * job.open.model_rate_hz();
}

}  // namespace

void Pipeline::BeginEarly(const Job& job, const Preparation& run) {
  const auto package = parts_.catalogue->Find(job.model());
  if (!package.ok() || !MayBeginEarly(job, (*package)->normalisation, run.result().model_frames))
    return;
  Job planned = job;
  planned.prepared = run.result();
  {
    absl::MutexLock lock(&mutex_);
    Active* active = Find(job.id, job.attempt);
    if (active == nullptr) return;
    active->part_path = run.part_path();
  }
  (void)parts_.calls->Post(
      [this, planned, part_path = run.part_path()] { PlanEarly(planned, part_path); });
}

// Whatever goes wrong here is no loss: the plan is told once more when all is prepared.
void Pipeline::PlanEarly(const Job& job, const std::string& part_path) {
  const absl::StatusOr<int64_t> chunks = ChunkCount(job);
  if (!chunks.ok()) return;
  internal::v1::PlanSeparationRequest request;
  request.set_separation_id(job.id.value());
  request.set_attempt(job.attempt);
  request.set_model_frames(job.prepared.model_frames);
  request.set_chunks(*chunks);
  const absl::Status status = parts_.assembler->Plan(job.owner, request);
  if (status.ok()) return OnPlannedEarly(job, part_path, *chunks);
  telemetry::Debug("no early plan", {{"separation", job.id.ToString()}, {"error", status}});
}

void Pipeline::OnPlannedEarly(const Job& job, const std::string& part_path, int64_t chunks) {
  absl::MutexLock lock(&mutex_);
  Active* active = Find(job.id, job.attempt);
  // It may be prepared by now, or be prepared anew under another name.
  if (active == nullptr || active->stage != Stage::kPreparing || active->part_path != part_path)
    return;
  active->growing = true;
  parts_.dispatcher->AddGrowing(job, parts_.spools->PathOf(job.id), part_path, chunks,
                                active->done);
  PassRetriesOn(active);
}

void Pipeline::GiveOutMore(const Job& job, const Preparation& run) {
  {
    absl::MutexLock lock(&mutex_);
    const Active* active = Find(job.id, job.attempt);
    if (active == nullptr || !active->growing) return;
  }
  Job planned = job;
  planned.prepared = run.result();
  const absl::StatusOr<int64_t> ready = ReadyChunks(planned, run.written_frames());
  if (ready.ok()) parts_.dispatcher->SetReady(job.id, job.attempt, *ready);
}

// All of it is prepared, and planned already.
void Pipeline::EndEarly(Active* active) {
  const absl::StatusOr<int64_t> chunks = ChunkCount(active->job);
  active->growing = false;
  active->stage = Stage::kSending;
  active->running = false;
  active->last_news = base::SteadyNow();
  if (chunks.ok()) parts_.dispatcher->SetReady(active->job.id, active->job.attempt, *chunks);
}

}  // namespace unbraid::splitter
