#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/assembler/engine.h"
#include "services/assembler/progress.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"

// From what is joined to the end of a separation, and every other end.

namespace unbraid::assembler {
namespace {

// Finishing begins anew after it, which is not cheap.
constexpr absl::Duration kFinishPause = absl::Seconds(5);
constexpr absl::Duration kBetweenReports = absl::Milliseconds(200);
// Separations whose results are made while they are computed: each holds its files open, and some
// megabytes.
constexpr int kMostAdvancing = 2;
// Joined frames for one turn on the thread of the finishing, which others may want.
constexpr int64_t kAdvanceAtOnce = 20 * StemReader::kBlockFrames;

// What was written behind the back of a cancelling or a deletion.
void RemoveLate(const ChunkFiles& files) {
  const absl::Status removed = files.RemoveEverything();
  if (!removed.ok()) telemetry::Warning("cannot remove files", {{"error", removed}});
}

}  // namespace

void Engine::Advance(Active* active) {
  const Job& job = active->job;
  const int64_t frames = std::min(job.JoinedFrames(), active->advanced + kAdvanceAtOnce);
  // Of several passes only the last one counts, and while it is joined the disk has no room to
  // spare.
  if (active->advancing || active->finish_late || job.passes().count() > 1) return;
  if (frames - active->advanced < StemReader::kBlockFrames) return;
  if (active->finisher == nullptr && !MakeWayForFinisher()) return;
  if (active->finisher == nullptr)
    active->finisher = std::make_shared<Finisher>(job, active->files, active->cancelled);
  active->advanced = frames;
  active->advancing =
      options_.finishing->Post([this, id = job.id, attempt = job.attempt(), frames,
                                files = active->files, finisher = active->finisher]() mutable {
        const absl::Status status = finisher->Advance(frames);
        finisher = nullptr;  // so that what it may remove at its end goes before all else
        options_.engine->Post(
            [this, id, attempt, files, status] { OnAdvanced(id, attempt, files, status); });
      });
}

bool Engine::MakeWayForFinisher() {
  int count = 0;
  Active* oldest = nullptr;
  for (auto& [id, other] : active_) {
    if (other.finisher == nullptr) continue;
    ++count;
    if (!other.advancing && (oldest == nullptr || other.advanced_at < oldest->advanced_at))
      oldest = &other;
  }
  if (count < kMostAdvancing) return true;
  if (oldest == nullptr || base::SteadyNow() - oldest->advanced_at < options_.advance_patience)
    return false;
  FinishLate(oldest);
  return true;
}

// What was made early goes, and is made again in the end.
void Engine::FinishLate(Active* active) {
  active->finish_late = true;
  if (!active->advancing) active->finisher = nullptr;
}

void Engine::OnAdvanced(base::SeparationId id, int attempt, const ChunkFiles& files,
                        const absl::Status& status) {
  Active* active = FindActive(id, attempt);
  if (active == nullptr) return RemoveLate(files);
  active->advancing = false;
  active->advanced_at = base::SteadyNow();
  // Whatever went wrong, it comes again at the end, where something is done about it.
  if (!status.ok() || active->finish_late) FinishLate(active);
  if (active->job.separation.state() == v1::Separation::STATE_FINISHING) {
    PostFinishing(active);
  } else {
    Advance(active);
  }
}

absl::Status Engine::BeginFinishing(Active* active) {
  Job finishing = active->job;
  finishing.separation.set_state(v1::Separation::STATE_FINISHING);
  UpdateProgress(absl::Now(), 0, &finishing);
  UNBRAID_RETURN_IF_ERROR(store_->Save(finishing));
  active->job = std::move(finishing);
  active->pipeline = nullptr;
  Publish(active);
  if (!active->advancing) PostFinishing(active);
  return absl::OkStatus();
}

void Engine::PostFinishing(Active* active) {
  std::shared_ptr<Finisher> finisher = std::exchange(active->finisher, nullptr);
  if (finisher == nullptr)
    finisher = std::make_shared<Finisher>(active->job, active->files, active->cancelled);
  options_.finishing->Post([this, id = active->job.id, attempt = active->job.attempt(),
                            files = active->files, finisher = std::move(finisher)]() mutable {
    RunFinishing(id, attempt, files, std::move(finisher));
  });
}

// On a thread of the finishing: touches nothing of the engine but its executor and figures.
void Engine::RunFinishing(base::SeparationId id, int attempt, const ChunkFiles& files,
                          std::shared_ptr<Finisher> finisher) {
  const absl::Time begin = base::SteadyNow();
  absl::Time last = absl::InfinitePast();
  auto progress = [&](double share) {
    if (base::SteadyNow() - last < kBetweenReports) return;
    last = base::SteadyNow();
    options_.engine->Post([this, id, attempt, share] {
      if (Active* active = FindActive(id, attempt)) Tell(active, share);
    });
  };
  absl::StatusOr<FinishResult> result = finisher->Finish(progress);
  finisher = nullptr;
  if (result.ok())
    metrics_.finishing_seconds.Observe(absl::ToDoubleSeconds(base::SteadyNow() - begin));
  options_.engine->Post([this, id, attempt, files, result = std::move(result)]() mutable {
    OnFinished(id, attempt, files, std::move(result));
  });
}

void Engine::OnFinished(base::SeparationId id, int attempt, const ChunkFiles& files,
                        absl::StatusOr<FinishResult> result) {
  Active* active = FindActive(id, attempt);
  if (active == nullptr) return RemoveLate(files);
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
  active->finish_again = base::SteadyNow() + kFinishPause;
  WaitForDisk(active, status);
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
