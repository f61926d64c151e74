#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/assembler/engine.h"
#include "services/common/base/status.h"
#include "services/common/telemetry/log.h"

// What results do to separations, up to the last join.

namespace unbraid::assembler {
namespace {

constexpr int kMaxTries = 2;
constexpr char kWaitsForRoom[] = "room on the assembler's disk";
constexpr char kWaitsForDisk[] = "the assembler's disk, which reports errors";
constexpr absl::Duration kRoomPause = absl::Seconds(1);
// Chunks that are joined before others get their turn on the thread.
constexpr int kJoinAtOnce = 4;

}  // namespace

absl::Status Engine::OnResult(const Result& result) {
  Active* active = FindActive(result.id, result.attempt);
  const bool wanted = active != nullptr && result.chunk >= 0 && result.chunk < active->job.chunks &&
                      active->job.separation.state() == v1::Separation::STATE_SEPARATING;
  if (!wanted) {
    metrics_.ignored_results.Increment();
    return absl::OkStatus();
  }
  const absl::Status status =
      result.failed() ? TakeFailure(result, active) : TakeSamples(result, active);
  // A failure may have ended the separation.
  active = FindActive(result.id, result.attempt);
  if (active != nullptr && !status.ok())
    SetWaitingFor(active, absl::IsResourceExhausted(status) ? kWaitsForRoom : kWaitsForDisk);
  return status;
}

absl::Status Engine::TakeSamples(const Result& result, Active* active) {
  const Job& job = active->job;
  const int position = job.ComputedPosition(result.stem);
  if (position < 0 || result.channels != job.channels() ||
      result.frames != job.UsefulFrames(result.chunk)) {
    Result failed = result;
    failed.failure_reason = "BAD_RESULT";
    failed.failure_message = "the worker sent a stem, channels or frames that were not asked for";
    return TakeFailure(failed, active);
  }
  const uint32_t bit = uint32_t{1} << static_cast<unsigned>(position);
  if ((job.chunk_records[static_cast<size_t>(result.chunk)].stems_done & bit) != 0) {
    metrics_.ignored_results.Increment();
    return absl::OkStatus();
  }
  UNBRAID_RETURN_IF_ERROR(StoreSamples(result, position, active));
  active->job.separation.mutable_progress()->clear_waiting_for();
  Tell(active);
  Join(result.id, result.attempt);
  return absl::OkStatus();
}

absl::Status Engine::StoreSamples(const Result& result, int position, Active* active) {
  const absl::Time begin = absl::Now();
  Job& job = active->job;
  UNBRAID_RETURN_IF_ERROR(active->files.WriteChunk(result.chunk, position, result.samples));
  ChunkRecord& record = job.chunk_records[static_cast<size_t>(result.chunk)];
  const ChunkRecord before = record;
  record.stems_done |= uint32_t{1} << static_cast<unsigned>(position);
  record.worker = result.worker;
  record.bytes += static_cast<int64_t>(result.samples.size() * sizeof(float));
  record.compute_seconds = result.compute_seconds;
  const absl::Status saved = store_->SaveChunk(job, result.chunk);
  if (!saved.ok()) {
    record = before;
    return saved;
  }
  metrics_.results.Increment();
  metrics_.store_seconds.Observe(absl::ToDoubleSeconds(absl::Now() - begin));
  telemetry::Debug("result stored", {{"separation", result.id.ToString()},
                                     {"chunk", result.chunk},
                                     {"stem", result.stem},
                                     {"worker", result.worker}});
  return absl::OkStatus();
}

// Joins what is there, a few chunks at a time. The results are safe already, so what goes wrong
// here concerns nobody but the separation.
void Engine::Join(base::SeparationId id, int attempt) {
  Active* active = FindActive(id, attempt);
  if (active == nullptr || active->pipeline == nullptr) return;
  absl::Status status = JoinSome(active);
  if (status.ok() && active->job.joined == active->job.chunks) status = BeginFinishing(active);
  if (status.ok()) return;
  if (!absl::IsResourceExhausted(status)) {
    status = FailNow(active, "STORAGE_DAMAGED", std::string(status.message()));
    if (status.ok()) return;
  }
  active->join_again = absl::Now() + kRoomPause;
  SetWaitingFor(active, absl::IsResourceExhausted(status) ? kWaitsForRoom : kWaitsForDisk);
}

absl::Status Engine::JoinSome(Active* active) {
  Job& job = active->job;
  const int64_t before = job.joined;
  int64_t count = before;
  while (count < job.chunks && count < before + kJoinAtOnce && job.ChunkDone(count)) ++count;
  if (count == before) return absl::OkStatus();
  UNBRAID_RETURN_IF_ERROR(active->pipeline->JoinUpTo(count));
  job.joined = count;
  const absl::Status saved = store_->Save(job);
  if (!saved.ok()) {
    job.joined = before;
    return saved;
  }
  metrics_.joined_chunks.Increment(static_cast<double>(count - before));
  options_.hub->TellJoined(job.id, job.JoinedFrames());
  // The last one stays: the next one needs its tail, also after a restart.
  for (int64_t chunk = std::max<int64_t>(before - 1, 0); chunk < count - 1; ++chunk)
    RemoveJoinedChunk(*active, chunk);
  RemoveSummedPasses(*active, job.passes().PassOf(before) - 1);
  Tell(active);
  if (!job.NextIsDone() || active->join_posted) return absl::OkStatus();
  active->join_posted = options_.engine->Post([this, id = job.id, attempt = job.attempt()] {
    if (Active* posted = FindActive(id, attempt)) posted->join_posted = false;
    Join(id, attempt);
  });
  return absl::OkStatus();
}

void Engine::RemoveJoinedChunk(const Active& active, int64_t chunk) const {
  for (int stem = 0; stem < active.job.computed_stems(); ++stem) {
    const absl::Status removed = active.files.RemoveChunk(chunk, stem);
    if (removed.ok()) continue;
    // It costs room until the separation ends, nothing else.
    telemetry::Warning(
        "cannot remove a joined chunk",
        {{"separation", active.job.id.ToString()}, {"chunk", chunk}, {"error", removed}});
  }
}

void Engine::RemoveSummedPasses(const Active& active, int from) const {
  const int end = active.job.passes().PassOf(active.job.joined) - 1;
  for (int pass = std::max(from, 0); pass < end; ++pass) {
    for (int stem = 0; stem < active.job.computed_stems(); ++stem) {
      const absl::Status removed = active.files.RemovePass(pass, stem);
      if (removed.ok()) continue;
      // As above.
      telemetry::Warning(
          "cannot remove a summed pass",
          {{"separation", active.job.id.ToString()}, {"pass", pass}, {"error", removed}});
    }
  }
}

absl::Status Engine::TakeFailure(const Result& result, Active* active) {
  Job& job = active->job;
  ChunkRecord& record = job.chunk_records[static_cast<size_t>(result.chunk)];
  metrics_.failed_results.Increment();
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
    const absl::Status saved = store_->SaveChunk(job, result.chunk);
    if (!saved.ok()) {
      --record.tries;
      return saved;
    }
    options_.feed->Publish(job.open.splitter(), RetryNews(job, result.chunk));
    return absl::OkStatus();
  }
  return FailNow(active, "CHUNK_FAILED",
                 absl::StrCat("The model could not compute ", job.DescribeChunk(result.chunk),
                              ", twice: ", result.failure_message, " (", result.failure_reason,
                              ", worker ", result.worker, "). Try another model."));
}

}  // namespace unbraid::assembler
