#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/assembler/engine.h"
#include "services/assembler/progress.h"
#include "services/common/base/status.h"
#include "services/common/telemetry/log.h"

// What results do to separations, up to their end.

namespace unbraid::assembler {
namespace {

constexpr int kMaxTries = 2;
constexpr char kDiskFull[] = "room on the assembler's disk";

}  // namespace

absl::Status Engine::OnResult(const Result& result) {
  Active* active = FindActive(result.id, result.attempt);
  const bool wanted = active != nullptr && result.chunk >= 0 && result.chunk < active->job.chunks &&
                      active->job.separation.state() == v1::Separation::STATE_SEPARATING;
  if (!wanted) {
    duplicates_.Increment();
    return absl::OkStatus();
  }
  const absl::Status status =
      result.failed() ? TakeFailure(result, active) : TakeSamples(result, active);
  // The separation may have ended meanwhile.
  active = FindActive(result.id, result.attempt);
  if (active != nullptr && absl::IsResourceExhausted(status)) {
    active->job.separation.mutable_progress()->set_waiting_for(kDiskFull);
    Tell(active);
  }
  return status;
}

absl::Status Engine::TakeSamples(const Result& result, Active* active) {
  Job& job = active->job;
  const int position = job.ComputedPosition(result.stem);
  const int64_t stride = job.open.window_frames() - job.open.overlap_frames();
  const int64_t frames =
      std::min<int64_t>(job.open.window_frames(), job.model_frames - result.chunk * stride);
  if (position < 0 || result.channels != job.channels() || result.frames != frames) {
    return TakeFailure(
        Result{result.id, result.attempt, result.chunk, result.try_number, result.worker, 0,
               "BAD_RESULT", "the worker sent a stem, channels or frames that were not asked for"},
        active);
  }
  ChunkRecord& record = job.chunk_records[static_cast<size_t>(result.chunk)];
  const uint32_t bit = uint32_t{1} << static_cast<unsigned>(position);
  if ((record.stems_done & bit) != 0) {
    duplicates_.Increment();
    // It may be here again because the disk was full when its chunk was to be joined.
    return JoinReady(active);
  }
  UNBRAID_RETURN_IF_ERROR(active->files.WriteChunk(result.chunk, position, result.samples));
  const ChunkRecord before = record;
  record.stems_done |= bit;
  record.worker = result.worker;
  record.bytes += static_cast<int64_t>(result.samples.size() * sizeof(float));
  record.compute_seconds = result.compute_seconds;
  const absl::Status saved = store_->SaveChunk(job, result.chunk);
  if (!saved.ok()) {
    record = before;
    return saved;
  }
  results_.Increment();
  telemetry::Debug("result stored", {{"separation", result.id.ToString()},
                                     {"chunk", result.chunk},
                                     {"stem", result.stem},
                                     {"worker", result.worker}});
  job.separation.mutable_progress()->clear_waiting_for();
  return JoinReady(active);
}

absl::Status Engine::JoinReady(Active* active) {
  Job& job = active->job;
  while (job.joined < job.chunks && job.ChunkDone(job.joined)) {
    const absl::Status joined = active->pipeline->JoinNext();
    if (absl::IsResourceExhausted(joined)) return joined;
    if (!joined.ok()) return FailNow(active, "STORAGE_DAMAGED", std::string(joined.message()));
    ++job.joined;
    joined_chunks_.Increment();
    UNBRAID_RETURN_IF_ERROR(store_->Save(job));
    // The chunk just joined stays: the next one needs its tail, also after a restart.
    for (int stem = 0; job.joined >= 2 && stem < job.computed_stems(); ++stem) {
      UNBRAID_RETURN_IF_ERROR(active->files.RemoveChunk(job.joined - 2, stem));
    }
  }
  if (job.joined == job.chunks) return BeginFinishing(active);
  Tell(active);
  return absl::OkStatus();
}

absl::Status Engine::TakeFailure(const Result& result, Active* active) {
  Job& job = active->job;
  ChunkRecord& record = job.chunk_records[static_cast<size_t>(result.chunk)];
  failures_.Increment();
  telemetry::Warning("a worker could not compute a chunk", {{"separation", result.id.ToString()},
                                                            {"chunk", result.chunk},
                                                            {"try", result.try_number},
                                                            {"worker", result.worker},
                                                            {"reason", result.failure_reason},
                                                            {"detail", result.failure_message}});
  // A duplicate of an older failure, or a chunk that another worker has computed meanwhile.
  if (result.try_number < record.tries || job.ChunkDone(result.chunk)) return absl::OkStatus();
  if (record.tries < kMaxTries) {
    ++record.tries;
    UNBRAID_RETURN_IF_ERROR(store_->SaveChunk(job, result.chunk));
    options_.feed->Publish(job.open.splitter(), RetryNews(job, result.chunk));
    return absl::OkStatus();
  }
  return FailNow(active, "CHUNK_FAILED",
                 absl::StrCat("The model could not compute ", job.DescribeChunk(result.chunk),
                              ", twice: ", result.failure_message, " (", result.failure_reason,
                              ", worker ", result.worker, "). Try another model."));
}

absl::Status Engine::BeginFinishing(Active* active) {
  active->pipeline = nullptr;
  active->job.separation.set_state(v1::Separation::STATE_FINISHING);
  UNBRAID_RETURN_IF_ERROR(SaveAndTell(active));
  PostFinishing(*active);
  return absl::OkStatus();
}

void Engine::PostFinishing(const Active& active) {
  // The job is copied: the finishing reads it on another thread.
  options_.finishing->Post(
      [this, job = active.job, files = active.files, cancelled = active.cancelled] {
        const base::SeparationId id = job.id;
        const int attempt = job.attempt();
        absl::Time last = absl::InfinitePast();
        constexpr absl::Duration kBetweenNews = absl::Milliseconds(200);
        auto progress = [&](double share) {
          if (absl::Now() - last < kBetweenNews) return;
          last = absl::Now();
          options_.engine->Post(
              [this, id, attempt, share] { OnFinishingProgress(id, attempt, share); });
        };
        absl::StatusOr<FinishResult> result = Finish(job, files, *cancelled, progress);
        options_.engine->Post([this, id, attempt, result = std::move(result)]() mutable {
          OnFinished(id, attempt, std::move(result));
        });
      });
}

void Engine::OnFinishingProgress(base::SeparationId id, int attempt, double share) {
  if (Active* active = FindActive(id, attempt)) Tell(active, share);
}

void Engine::OnFinished(base::SeparationId id, int attempt, absl::StatusOr<FinishResult> result) {
  Active* active = FindActive(id, attempt);
  if (active == nullptr || *active->cancelled) return;
  absl::Status status = result.status();
  if (status.ok()) status = Succeed(active, *result);
  if (status.ok()) return;
  if (absl::IsResourceExhausted(status)) {
    active->job.separation.mutable_progress()->set_waiting_for(kDiskFull);
    Tell(active);
    options_.finishing->Post([this, id, attempt, cancelled = active->cancelled] {
      constexpr absl::Duration kPause = absl::Seconds(5);
      for (absl::Time end = absl::Now() + kPause; absl::Now() < end && !*cancelled;) {
        absl::SleepFor(absl::Milliseconds(100));
      }
      options_.engine->Post([this, id, attempt] {
        if (Active* waiting = FindActive(id, attempt)) PostFinishing(*waiting);
      });
    });
    return;
  }
  telemetry::Error("finishing failed", {{"separation", id.ToString()}, {"error", status}});
  const absl::Status failed = FailNow(
      active, "FINISHING_FAILED",
      absl::StrCat("The results could not be written: ", status.message(), ". Create it again."));
  if (!failed.ok())
    telemetry::Error("cannot record a failure", {{"separation", id.ToString()}, {"error", failed}});
}

absl::Status Engine::Succeed(Active* active, const FinishResult& result) {
  v1::Separation& separation = active->job.separation;
  separation.clear_outputs();
  for (const v1::StemFile& output : result.outputs) *separation.add_outputs() = output;
  separation.set_gain_db(result.gain_db);
  return End(active, v1::Separation::STATE_SUCCEEDED);
}

absl::Status Engine::FailNow(Active* active, const std::string& reason,
                             const std::string& message) {
  active->job.separation.mutable_failure()->set_reason(reason);
  active->job.separation.mutable_failure()->set_message(message);
  return End(active, v1::Separation::STATE_FAILED);
}

absl::Status Engine::End(Active* active, v1::Separation::State state) {
  Job& job = active->job;
  const v1::Separation before = job.separation;
  job.separation.set_state(state);
  job.separation.mutable_progress()->clear_waiting_for();
  UpdateProgress(absl::Now(), 1, &job);
  const absl::Status saved = store_->Save(job);
  if (!saved.ok()) {
    job.separation = before;
    return saved;
  }
  *active->cancelled = true;
  telemetry::Info("separation ended", {{"separation", job.id.ToString()},
                                       {"state", v1::Separation::State_Name(state)},
                                       {"reason", job.separation.failure().reason()}});
  options_.hub->Publish(job.id, job.separation);
  options_.feed->Publish(job.open.splitter(), EndedNews(job));
  const ChunkFiles files = active->files;
  const bool keep_results = state == v1::Separation::STATE_SUCCEEDED;
  active_.erase(job.id);  // ends the life of `active` and `job`
  active_gauge_.Set(static_cast<double>(active_.size()));
  const absl::Status removed = keep_results ? files.RemoveWork() : files.RemoveEverything();
  if (!removed.ok())
    telemetry::Warning("cannot remove files", {{"folder", files.folder()}, {"error", removed}});
  return absl::OkStatus();
}

void Engine::Tell(Active* active, double finishing) {
  UpdateProgress(absl::Now(), finishing, &active->job);
  options_.hub->Publish(active->job.id, active->job.separation);
}

absl::Status Engine::SaveAndTell(Active* active, double finishing) {
  UpdateProgress(absl::Now(), finishing, &active->job);
  UNBRAID_RETURN_IF_ERROR(store_->Save(active->job));
  options_.hub->Publish(active->job.id, active->job.separation);
  return absl::OkStatus();
}

void Engine::AbandonFinishing() {
  for (auto& [id, active] : active_) *active.cancelled = true;
}

}  // namespace unbraid::assembler
