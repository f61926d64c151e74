#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/assembler/engine.h"
#include "services/assembler/progress.h"
#include "services/common/base/status.h"
#include "services/common/telemetry/log.h"

// From the last join to the end of a separation, and every other end.

namespace unbraid::assembler {
namespace {

constexpr char kWaitsForRoom[] = "room on the assembler's disk";
// Finishing begins anew after it, which is not cheap.
constexpr absl::Duration kFinishPause = absl::Seconds(5);
constexpr absl::Duration kBetweenReports = absl::Milliseconds(200);

}  // namespace

absl::Status Engine::BeginFinishing(Active* active) {
  Job finishing = active->job;
  finishing.separation.set_state(v1::Separation::STATE_FINISHING);
  UpdateProgress(absl::Now(), 0, &finishing);
  UNBRAID_RETURN_IF_ERROR(store_->Save(finishing));
  active->job = std::move(finishing);
  active->pipeline = nullptr;
  Publish(active, absl::Now());
  PostFinishing(*active);
  return absl::OkStatus();
}

void Engine::PostFinishing(const Active& active) {
  // The job is copied: the finishing reads it on another thread.
  options_.finishing->Post(
      [this, job = active.job, files = active.files, cancelled = active.cancelled] {
        RunFinishing(job, files, *cancelled);
      });
}

// On a thread of the finishing: touches nothing of the engine but its executor and figures.
void Engine::RunFinishing(const Job& job, const ChunkFiles& files,
                          const std::atomic<bool>& cancelled) {
  const base::SeparationId id = job.id;
  const int attempt = job.attempt();
  const absl::Time begin = absl::Now();
  absl::Time last = absl::InfinitePast();
  auto progress = [&](double share) {
    if (absl::Now() - last < kBetweenReports) return;
    last = absl::Now();
    options_.engine->Post([this, id, attempt, share] {
      if (Active* active = FindActive(id, attempt)) Tell(active, share);
    });
  };
  absl::StatusOr<FinishResult> result = Finish(job, files, cancelled, progress);
  if (result.ok()) metrics_.finishing_seconds.Observe(absl::ToDoubleSeconds(absl::Now() - begin));
  options_.engine->Post([this, id, attempt, files, result = std::move(result)]() mutable {
    OnFinished(id, attempt, files, std::move(result));
  });
}

void Engine::OnFinished(base::SeparationId id, int attempt, const ChunkFiles& files,
                        absl::StatusOr<FinishResult> result) {
  Active* active = FindActive(id, attempt);
  if (active == nullptr) {
    // It was cancelled or deleted, and may have written a file behind the back of that.
    const absl::Status removed = files.RemoveEverything();
    if (!removed.ok()) telemetry::Warning("cannot remove files", {{"error", removed}});
    return;
  }
  if (*active->cancelled) return;  // the process is about to end
  absl::Status status = result.status();
  if (status.ok()) status = Succeed(active, *result);
  if (status.ok()) return;
  if (!absl::IsResourceExhausted(status)) {
    telemetry::Error("finishing failed", {{"separation", id.ToString()}, {"error", status}});
    // With a reason it is not the server's fault.
    const std::string reason = base::ReasonOf(status);
    status = reason.empty()
                 ? FailNow(active, "FINISHING_FAILED",
                           absl::StrCat("The results could not be written: ", status.message(),
                                        ". Create the separation again."))
                 : FailNow(active, reason, std::string(status.message()));
    if (status.ok()) return;
  }
  active->finish_again = absl::Now() + kFinishPause;
  SetWaitingFor(active, kWaitsForRoom);
}

absl::Status Engine::Succeed(Active* active, const FinishResult& result) {
  v1::Separation separation = active->job.separation;
  separation.set_state(v1::Separation::STATE_SUCCEEDED);
  separation.clear_outputs();
  for (const v1::StemFile& output : result.outputs) *separation.add_outputs() = output;
  separation.set_gain_db(result.gain_db);
  separation.set_clipped_samples(result.clipped_samples);
  return End(active, std::move(separation));
}

absl::Status Engine::FailNow(Active* active, const std::string& reason,
                             const std::string& message) {
  v1::Separation separation = active->job.separation;
  separation.set_state(v1::Separation::STATE_FAILED);
  separation.mutable_failure()->set_reason(reason);
  separation.mutable_failure()->set_message(message);
  return End(active, std::move(separation));
}

absl::Status Engine::End(Active* active, v1::Separation separation) {
  const v1::Separation::State state = separation.state();
  Job job = active->job;
  job.separation = std::move(separation);
  job.separation.mutable_progress()->clear_waiting_for();
  job.used = options_.clock();
  UpdateProgress(job.used, 1, &job);
  SetExpireTime(job.used, options_.retention, &job.separation);
  UNBRAID_RETURN_IF_ERROR(store_->Save(job));
  *active->cancelled = true;
  const ChunkFiles files = active->files;
  active_.erase(job.id);  // ends the life of `active`
  telemetry::Info("separation ended", {{"separation", job.id.ToString()},
                                       {"state", v1::Separation::State_Name(state)},
                                       {"reason", job.separation.failure().reason()}});
  metrics_.Ended(state);
  metrics_.active.Set(static_cast<double>(active_.size()));
  options_.hub->Publish(job.id, job.separation);
  options_.feed->Publish(job.open.splitter(), EndedNews(job));
  const bool keep_results = state == v1::Separation::STATE_SUCCEEDED;
  const absl::Status removed = keep_results ? files.RemoveWork() : files.RemoveEverything();
  if (!removed.ok())
    telemetry::Warning("cannot remove files", {{"folder", files.folder()}, {"error", removed}});
  return absl::OkStatus();
}

}  // namespace unbraid::assembler
