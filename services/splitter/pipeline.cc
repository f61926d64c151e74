#include "services/splitter/pipeline.h"

#include <algorithm>
#include <utility>

#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/chunk_cutter.h"

namespace unbraid::splitter {
namespace {

constexpr int kPreparingThreads = 2;
constexpr int kSongThreads = 2;

// Whether trying again may help: a disk is full, or memory, or too many files are open; the
// assembler is away, or what it got was not what was sent.
bool IsTransient(const absl::Status& status) {
  const std::string reason = base::ReasonOf(status);
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status) || absl::IsResourceExhausted(status) ||
         reason == "CHECKSUM_MISMATCH" || reason == "SONG_MISSING";
}

}  // namespace

Pipeline::Pipeline(const Parts& parts, const PipelineOptions& options, telemetry::Metrics* metrics)
    : parts_(parts),
      options_(options),
      metrics_(metrics),
      active_gauge_(
          metrics->Gauge("unbraid_splitter_active_separations", "Separations that have not ended")),
      notices_(parts.sink),
      preparing_("prepare", kPreparingThreads),
      songs_("songs", kSongThreads) {}

Pipeline::~Pipeline() { Stop(); }

void Pipeline::Activate(const Job& job, std::vector<bool> done) {
  absl::MutexLock lock(&mutex_);
  const auto found = active_.find(job.id);
  if (found != active_.end()) {
    if (found->second.job.attempt >= job.attempt) return;
    parts_.dispatcher->Remove(job.id);
    found->second.cancellation->Cancel();
    active_.erase(found);
  }
  Active& active = active_[job.id];
  active.job = job;
  active.done = std::move(done);
  active.last_news = base::SteadyNow();
  active.stage = parts_.spools->IsComplete(job) ? AfterPreparation(job) : Stage::kPreparing;
  active_gauge_.Set(static_cast<double>(active_.size()));
  Continue(&active);
}

Pipeline::Stage Pipeline::AfterPreparation(const Job& job) {
  return job.residual() ? Stage::kSendingSong : Stage::kPlanning;
}

void Pipeline::Continue(Active* active) {
  if (stopping_) return;
  const base::SeparationId id = active->job.id;
  const int32_t attempt = active->job.attempt;
  // These are refused only when the process ends.
  if (active->stage == Stage::kPreparing) {
    active->running = preparing_.Post([this, id, attempt] { Prepare(id, attempt, nullptr); });
  } else if (active->stage == Stage::kSendingSong) {
    active->running = songs_.Post([this, id, attempt] { SendSong(id, attempt); });
  } else if (active->stage == Stage::kPlanning) {
    active->running = parts_.calls->Post([this, id, attempt] { Plan(id, attempt); });
  }
}

Pipeline::Active* Pipeline::Find(base::SeparationId id, int32_t attempt) {
  const auto found = active_.find(id);
  return found != active_.end() && found->second.job.attempt == attempt ? &found->second : nullptr;
}

std::optional<Job> Pipeline::Current(base::SeparationId id, int32_t attempt) const {
  absl::MutexLock lock(&mutex_);
  const auto found = active_.find(id);
  if (found == active_.end() || found->second.job.attempt != attempt) return std::nullopt;
  return found->second.job;
}

bool Pipeline::Holds(base::SeparationId id, int32_t attempt) const {
  return Current(id, attempt).has_value();
}

void Pipeline::OnObstacle(const Job& job, const absl::Status& status) {
  if (!IsTransient(status)) return Fail(job.id, job.attempt, status);
  telemetry::Warning("separation must wait",
                     {{"separation", job.id.ToString()}, {"error", status}});
  absl::MutexLock lock(&mutex_);
  Active* active = Find(job.id, job.attempt);
  if (active == nullptr) return;
  if (active->growing) parts_.dispatcher->Remove(job.id);
  active->growing = false;
  active->part_path.clear();
  active->running = false;
  active->not_before = base::SteadyNow() + options_.retry_pause;
  active->obstacle = std::string(status.message());
}

void Pipeline::Plan(base::SeparationId id, int32_t attempt) {
  const std::optional<Job> job = Current(id, attempt);
  if (!job) return;
  const absl::StatusOr<int64_t> chunks = ChunkCount(*job);
  if (!chunks.ok()) return Fail(id, attempt, chunks.status());
  internal::v1::PlanSeparationRequest request;
  request.set_separation_id(id.value());
  request.set_attempt(attempt);
  request.set_model_frames(job->prepared.model_frames);
  request.set_chunks(*chunks);
  const absl::Status status = parts_.assembler->Plan(job->owner, request);
  if (status.ok()) return OnPlanned(*job, *chunks);
  if (base::ReasonOf(status) == "SONG_MISSING") return OnSongMissing(*job, status);
  OnRefused(*job, status);
}

// The assembler's word on a call about a job.
void Pipeline::OnRefused(const Job& job, const absl::Status& status) {
  const std::string reason = base::ReasonOf(status);
  if (reason != "UNKNOWN_SEPARATION" && reason != "STALE_ATTEMPT") return OnObstacle(job, status);
  Drop(job.id, job.attempt);
  const absl::Status removed = parts_.jobs->Remove(job.id, job.attempt);
  if (!removed.ok()) telemetry::Warning("record of an ended job stays", {{"error", removed}});
}

void Pipeline::OnPlanned(const Job& job, int64_t chunks) {
  absl::MutexLock lock(&mutex_);
  Active* active = Find(job.id, job.attempt);
  if (active == nullptr) return;
  active->stage = Stage::kSending;
  active->running = false;
  active->obstacle.clear();
  active->last_news = base::SteadyNow();
  parts_.dispatcher->Add(active->job, parts_.spools->PathOf(job.id), chunks, active->done);
  PassRetriesOn(active);
}

void Pipeline::PassRetriesOn(Active* active) {
  for (const auto& [chunk, try_number] : active->retries) {
    parts_.dispatcher->Retry(active->job.id, active->job.attempt, chunk, try_number);
  }
  active->retries.clear();
}

void Pipeline::Retry(base::SeparationId id, int32_t attempt, int64_t chunk, int32_t try_number) {
  absl::MutexLock lock(&mutex_);
  Active* active = Find(id, attempt);
  if (active == nullptr) return;
  active->last_news = base::SteadyNow();
  if (active->stage != Stage::kSending && !active->growing) {
    active->retries[chunk] = try_number;
    return;
  }
  parts_.dispatcher->Retry(id, attempt, chunk, try_number);
}

void Pipeline::OnDone(base::SeparationId id, int32_t attempt, std::vector<bool> done) {
  absl::MutexLock lock(&mutex_);
  Active* active = Find(id, attempt);
  if (active == nullptr) return;
  const auto count = [](const std::vector<bool>& bits) {
    return std::count(bits.begin(), bits.end(), true);
  };
  const bool moved = count(done) > count(active->done);
  active->done = std::move(done);
  if (!moved && !active->stalled) return;
  if (!moved) {
    telemetry::Warning("sending lost chunks again", {{"separation", id.ToString()}});
    parts_.dispatcher->Resend(id, attempt, active->done);
  }
  active->stalled = false;
  active->last_news = base::SteadyNow();
}

void Pipeline::Drop(base::SeparationId id, int32_t attempt) {
  const std::optional<base::PackageId> package = PackageOf(id);
  {
    absl::MutexLock lock(&mutex_);
    const auto found = active_.find(id);
    if (found != active_.end() && found->second.job.attempt > attempt) return;
    parts_.dispatcher->Remove(id);
    if (found != active_.end()) {
      found->second.cancellation->Cancel();
      active_.erase(found);
    }
    active_gauge_.Set(static_cast<double>(active_.size()));
    const absl::Status removed = parts_.spools->Remove(id);
    if (!removed.ok()) telemetry::Warning("spool stays", {{"error", removed}});
  }
  (void)parts_.calls->Post(
      [this, id, attempt, package] { notices_.Add(id, attempt, package, base::SteadyNow()); });
}

// Nothing when there is no record any more.
std::optional<base::PackageId> Pipeline::PackageOf(base::SeparationId id) const {
  const absl::StatusOr<std::optional<Job>> job = parts_.jobs->Find(id);
  if (!job.ok() || !job->has_value()) return std::nullopt;
  return (*job)->package();
}

void Pipeline::Fail(base::SeparationId id, int32_t attempt, const absl::Status& why) {
  const std::optional<Job> job = Current(id, attempt);
  if (!job) return;
  const std::string reason = base::ReasonOf(why);
  parts_.dispatcher->Remove(id);
  // The assembler answers with the news that it has ended, which drops it.
  parts_.failures->Report(
      job->owner,
      MakeFailure(id.value(), attempt, reason.empty() ? "SPLITTER_FAILED" : reason,
                  std::string(why.message())),
      nullptr);
}

void Pipeline::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (auto& [id, active] : active_) active.cancellation->Cancel();
  }
  preparing_.Stop();
  songs_.Stop();
}

}  // namespace unbraid::splitter
