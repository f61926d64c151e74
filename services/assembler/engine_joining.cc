#include <algorithm>
#include <iterator>
#include <utility>

#include "services/assembler/engine.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"

// Joining: what becomes of results that are stored or in memory.

namespace unbraid::assembler {
namespace {

constexpr char kWaitsForRoom[] = "room on the assembler's disk";
constexpr char kWaitsForMeans[] = "the assembler, which has too many files open or no memory left";
constexpr char kWaitsForDisk[] = "the assembler's disk, which reports errors";
constexpr absl::Duration kRoomPause = absl::Seconds(1);
// Chunks that are joined before others get their turn on the thread.
constexpr int kJoinAtOnce = 4;

}  // namespace

void Engine::JoinStored(base::SeparationId id, int attempt) {
  Waiting none;
  Join(id, attempt, &none);
}

// Stored results are safe already, and waiting ones come again, so what goes wrong here concerns
// nobody but the separation.
void Engine::Join(base::SeparationId id, int attempt, Waiting* waiting) {
  Active* active = FindActive(id, attempt);
  if (active == nullptr || active->pipeline == nullptr) return;
  absl::Status status;
  bool again = true;
  while (status.ok() && again) {
    status = JoinSome(active, waiting);
    const auto next = waiting->lower_bound({active->job.joined, 0});
    again = next != waiting->end() && next->first.first == active->job.joined &&
            CanJoin(active->job, active->job.joined, *waiting);
  }
  if (status.ok() && active->job.joined == active->job.chunks) status = BeginFinishing(active);
  if (status.ok()) return;
  if (!absl::IsResourceExhausted(status)) {
    status = FailNow(active, "STORAGE_DAMAGED", std::string(status.message()));
    if (status.ok()) return;
  }
  active->join_again = base::SteadyNow() + kRoomPause;
  WaitForDisk(active, status);
}

void Engine::WaitForDisk(Active* active, const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return SetWaitingFor(active, kWaitsForDisk);
  // What is made early would keep the room, and the open files, that let the others go on.
  for (auto& [id, other] : active_) FinishLate(&other);
  SetWaitingFor(active, base::ReasonOf(status) == "DISK_FULL" ? kWaitsForRoom : kWaitsForMeans);
}

bool Engine::CanJoin(const Job& job, int64_t chunk, const Waiting& waiting) {
  if (chunk >= job.chunks) return false;
  for (int stem = 0; stem < job.computed_stems(); ++stem) {
    if (!job.StemDone(chunk, stem) && waiting.count({chunk, stem}) == 0) return false;
  }
  return true;
}

absl::Status Engine::JoinSome(Active* active, Waiting* waiting) {
  Job& job = active->job;
  const int64_t before = job.joined;
  int64_t count = before;
  while (count < before + kJoinAtOnce && CanJoin(job, count, *waiting)) ++count;
  if (count == before) return absl::OkStatus();
  const auto end = waiting->lower_bound({count, 0});
  JoinPipeline::Fresh fresh;
  for (auto part = waiting->begin(); part != end; ++part)
    fresh.emplace(part->first, part->second.front()->result.samples);
  UNBRAID_RETURN_IF_ERROR(active->pipeline->JoinUpTo(before, count, fresh));
  job.joined = count;
  const absl::Status saved = Record(active, end, waiting, [&](const std::set<int64_t>& chunks) {
    return store_->SaveWithChunks(job, chunks);
  });
  if (!saved.ok()) {
    job.joined = before;
    return saved;
  }
  AfterJoin(active, before);
  return absl::OkStatus();
}

void Engine::AfterJoin(Active* active, int64_t before) {
  Job& job = active->job;
  metrics_.joined_chunks.Increment(static_cast<double>(job.joined - before));
  options_.hub->TellJoined(job.id, job.JoinedFrames());
  for (int64_t chunk = before; chunk < job.joined; ++chunk) RemoveJoinedChunk(*active, chunk);
  RemoveSummedPasses(*active, job.passes().PassOf(before) - 1);
  active->join_again = absl::InfiniteFuture();
  job.separation.mutable_progress()->clear_waiting_for();
  Tell(active);
  Advance(active);
  if (!job.NextIsDone() || active->join_posted) return;
  active->join_posted = options_.engine->Post([this, id = job.id, attempt = job.attempt()] {
    if (Active* posted = FindActive(id, attempt)) posted->join_posted = false;
    JoinStored(id, attempt);
  });
}

absl::Status Engine::StoreSamples(Active* active, Waiting* waiting) {
  absl::Status stored = StoreFirst(active, waiting->size(), waiting);
  if (!absl::IsResourceExhausted(stored)) return stored;
  // Some may still have room, and let the broker bring the one that makes room when it is joined.
  for (size_t count = waiting->size() / 2; count > 0; count /= 2) {
    if (StoreFirst(active, count, waiting).ok()) break;
  }
  return stored;
}

absl::Status Engine::StoreFirst(Active* active, size_t count, Waiting* waiting) {
  const auto end = std::next(waiting->begin(), static_cast<std::ptrdiff_t>(count));
  std::vector<ChunkFiles::ChunkPart> parts;
  for (auto part = waiting->begin(); part != end; ++part) {
    const auto& [chunk, stem] = part->first;
    parts.push_back({chunk, stem, part->second.front()->result.samples});
  }
  UNBRAID_RETURN_IF_ERROR(active->files.WriteChunks(parts));
  return Record(active, end, waiting, [&](const std::set<int64_t>& chunks) {
    return store_->SaveChunks(active->job, chunks);
  });
}

absl::Status Engine::Record(
    Active* active, Waiting::iterator end, Waiting* waiting,
    const std::function<absl::Status(const std::set<int64_t>& chunks)>& save) {
  std::map<int64_t, ChunkRecord> before;
  std::set<int64_t> chunks;
  for (auto part = waiting->begin(); part != end; ++part) {
    const auto& [chunk, position] = part->first;
    ChunkRecord& record = active->job.chunk_records[static_cast<size_t>(chunk)];
    before.emplace(chunk, record);
    chunks.insert(chunk);
    const Result& result = part->second.front()->result;
    record.stems_done |= uint32_t{1} << static_cast<unsigned>(position);
    record.worker = result.worker;
    record.bytes += static_cast<int64_t>(result.samples.size() * sizeof(float));
    record.compute_seconds = result.compute_seconds;
  }
  const absl::Status saved = save(chunks);
  if (!saved.ok()) {
    for (auto& [chunk, record] : before)
      active->job.chunk_records[static_cast<size_t>(chunk)] = std::move(record);
    return saved;
  }
  for (auto part = waiting->begin(); part != end; ++part) {
    metrics_.results.Increment();
    metrics_.ignored_results.Increment(static_cast<double>(part->second.size() - 1));
    for (Offer* offer : part->second) offer->taken = true;
  }
  waiting->erase(waiting->begin(), end);
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

}  // namespace unbraid::assembler
