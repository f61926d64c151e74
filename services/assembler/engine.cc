#include "services/assembler/engine.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/assembler/progress.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/samples/beside.h"
#include "services/common/store/files.h"
#include "services/common/telemetry/log.h"

// The engine's beginning, and what all of it uses. Calls of the splitter and of users stand in
// engine_calls.cc, engine_song.cc and engine_queries.cc, what results do in engine_results.cc and
// engine_joining.cc, the way to the end in engine_finishing.cc, and what comes after it in
// engine_retention.cc.

namespace unbraid::assembler {
namespace {

// Watchers hear of a separation at most so often, unless its state changes.
constexpr absl::Duration kBetweenNews = absl::Milliseconds(100);

// How often objects beside messages are looked through, and how long what is no separation's may
// lie there.
constexpr absl::Duration kBetweenSweeps = absl::Seconds(30);
constexpr absl::Duration kObjectsStay = absl::Minutes(1);

// What a separation's objects beside messages are kept under.
std::string ObjectGroup(const Job& job) {
  return samples::Owner{"", job.id, job.attempt()}.group();
}

}  // namespace

Engine::Engine(const Options& options, std::unique_ptr<SeparationStore> store)
    : options_(options), store_(std::move(store)), metrics_(options.metrics) {}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(const Options& options) {
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(options.data_folder));
  const std::string path = options.data_folder + "/assembler.sqlite";
  UNBRAID_ASSIGN_OR_RETURN(
      auto store,
      SeparationStore::Open(path, options.retention, SeparationsFolder(options.data_folder)));
  std::unique_ptr<Engine> engine(new Engine(options, std::move(store)));
  UNBRAID_RETURN_IF_ERROR(store::RefuseDamaged(engine->Recover(), path));
  return engine;
}

absl::Status Engine::Recover() {
  UNBRAID_ASSIGN_OR_RETURN(const auto attempts, store_->AttemptsWithFiles());
  UNBRAID_ASSIGN_OR_RETURN(const auto active, store_->ActiveIds());
  UNBRAID_RETURN_IF_ERROR(
      RemoveLeftovers(options_.data_folder, attempts, {active.begin(), active.end()}));
  for (base::SeparationId id : active) UNBRAID_RETURN_IF_ERROR(Resume(id));
  // Nothing fails from here on, so what is posted finds the engine alive.
  for (base::SeparationId id : active) {
    Active* resumed = FindActive(id);
    if (resumed == nullptr) continue;
    if (resumed->job.separation.state() == v1::Separation::STATE_FINISHING) {
      PostFinishing(resumed);
    } else {
      JoinStored(id, resumed->job.attempt());
    }
  }
  return absl::OkStatus();
}

absl::Status Engine::Resume(base::SeparationId id) {
  UNBRAID_ASSIGN_OR_RETURN(Job job, store_->Load(id));
  telemetry::Info("taking up a separation",
                  {{"separation", id.ToString()}, {"chunks_joined", job.joined}});
  job.done_before = job.ChunksDone();
  if (job.model_frames > 0) job.working_since = absl::Now();
  // Whatever it waited for may be there by now; who knows better says so again.
  job.separation.mutable_progress()->clear_waiting_for();
  UpdateProgress(absl::Now(), 0, &job);
  ChunkFiles files(options_.data_folder, id, job.attempt());
  UNBRAID_RETURN_IF_ERROR(files.MakeFolders());
  UNBRAID_RETURN_IF_ERROR(files.RemoveIncoming());
  Active& active = active_.emplace(id, Active{std::move(job), files, nullptr}).first->second;
  metrics_.active.Set(static_cast<double>(active_.size()));
  if (active.job.model_frames > 0) RemoveSummedPasses(active, 0);
  if (active.job.separation.state() != v1::Separation::STATE_SEPARATING) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<JoinPipeline>> pipeline = JoinPipeline::Create(active.job, files);
  // Nothing is wrong with it: at the next start there may be room.
  if (absl::IsResourceExhausted(pipeline.status())) return pipeline.status();
  if (!pipeline.ok()) {
    // Its files are not what its record says: this one is lost, the others are not.
    return FailNow(&active, "STORAGE_DAMAGED", std::string(pipeline.status().message()));
  }
  active.pipeline = *std::move(pipeline);
  // Joined and recorded, and not removed any more, or not durably.
  for (int64_t chunk = 0; chunk < active.job.joined; ++chunk) RemoveJoinedChunk(active, chunk);
  return absl::OkStatus();
}

void Engine::SweepObjects(absl::Time now) {
  if (options_.objects == nullptr || now < sweep_objects_again_) return;
  sweep_objects_again_ = absl::InfiniteFuture();
  std::set<std::string> groups;
  for (const auto& [id, active] : active_) groups.insert(ObjectGroup(active.job));
  // On another thread, since a folder over a network can take its time. What begins meanwhile
  // is younger than `before`.
  options_.finishing->Post(
      [this, groups, again = now + kBetweenSweeps, before = absl::Now() - kObjectsStay] {
        const absl::Status removed = options_.objects->RemoveOthers(options_.name, groups, before);
        if (!removed.ok()) telemetry::Warning("cannot remove old objects", {{"error", removed}});
        options_.engine->Post([this, again] { sweep_objects_again_ = again; });
      });
}

Engine::Active* Engine::FindActive(base::SeparationId id) {
  const auto found = active_.find(id);
  return found == active_.end() ? nullptr : &found->second;
}

Engine::Active* Engine::FindActive(base::SeparationId id, int attempt) {
  Active* active = FindActive(id);
  return active != nullptr && active->job.attempt() == attempt ? active : nullptr;
}

absl::StatusOr<Job> Engine::FindAny(base::SeparationId id) {
  if (const Active* active = FindActive(id)) return active->job;
  return store_->Load(id);
}

absl::StatusOr<Job> Engine::Find(const std::string& owner, base::SeparationId id) {
  UNBRAID_ASSIGN_OR_RETURN(Job job, FindAny(id));
  if (job.owner != owner) return UnknownSeparation(id);
  return job;
}

void Engine::Tick(absl::Time now, absl::Time of_day) {
  std::vector<base::SeparationId> ids;
  ids.reserve(active_.size());
  for (const auto& [id, active] : active_) ids.push_back(id);
  for (base::SeparationId id : ids) {
    Active* active = FindActive(id);
    if (active->news_waiting && now - active->told >= kBetweenNews) Publish(active);
    if (active->finish_again <= now) {
      active->finish_again = absl::InfiniteFuture();
      PostFinishing(active);
    }
    if (active->join_again <= now) {
      active->join_again = absl::InfiniteFuture();
      JoinStored(id, active->job.attempt());  // may end it
    }
  }
  RemoveExpired(now, of_day);
  SweepObjects(now);
}

void Engine::SetWaitingFor(Active* active, const std::string& what) {
  v1::Progress* progress = active->job.separation.mutable_progress();
  if (progress->waiting_for() == what) return;
  progress->set_waiting_for(what);
  Tell(active);
}

void Engine::Tell(Active* active, double finishing) {
  UpdateProgress(absl::Now(), finishing, &active->job);
  active->news_waiting = true;
  if (base::SteadyNow() - active->told >= kBetweenNews) Publish(active);
}

void Engine::Publish(Active* active) {
  active->told = base::SteadyNow();
  active->news_waiting = false;
  options_.hub->Publish(active->job.id, active->job.separation);
}

void Engine::AbandonFinishing() {
  for (auto& [id, active] : active_) *active.cancelled = true;
}

}  // namespace unbraid::assembler
