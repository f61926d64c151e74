#include <utility>

#include "absl/strings/str_cat.h"
#include "services/assembler/engine.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"

// What results do to separations, up to joining.

namespace unbraid::assembler {
namespace {

constexpr int kMaxTries = 2;

}  // namespace

absl::Status Engine::OnResults(absl::Span<Offer> offers, bool all) {
  const absl::Time begin = base::SteadyNow();
  std::map<base::SeparationId, Waiting> waiting;
  std::vector<Offer*> failures;
  absl::Status status;
  for (Offer& offer : offers) {
    if (!offer.taken) Sort(&offer, &waiting, &failures);
  }
  for (auto& [id, results] : waiting) {
    if (!results.empty()) status.Update(TakeSamples(id, all, &results));
  }
  // A chunk that is there needs nobody's second try.
  for (Offer* offer : failures) status.Update(TakeFailure(offer, waiting[offer->result.id]));
  metrics_.store_seconds.Observe(absl::ToDoubleSeconds(base::SteadyNow() - begin));
  return status;
}

void Engine::Sort(Offer* offer, std::map<base::SeparationId, Waiting>* waiting,
                  std::vector<Offer*>* failures) {
  Result& result = offer->result;
  Active* active = FindActive(result.id, result.attempt);
  const bool wanted = active != nullptr && result.chunk >= 0 && result.chunk < active->job.chunks &&
                      active->job.separation.state() == v1::Separation::STATE_SEPARATING;
  const int position = wanted ? active->job.ComputedPosition(result.stem) : -1;
  if (wanted && !result.failed() &&
      (position < 0 || result.channels != active->job.channels() ||
       result.frames != active->job.UsefulFrames(result.chunk))) {
    result.failure_reason = "BAD_RESULT";
    result.failure_message = "the worker sent a stem, channels or frames that were not asked for";
    result.samples.clear();
  }
  // Delivered again after it was taken, and its samples removed.
  const bool known = wanted && !result.fetched.ok() && position >= 0 &&
                     active->job.StemDone(result.chunk, position);
  if (wanted && result.failed() && !known) {
    failures->push_back(offer);
  } else if (wanted && !active->job.StemDone(result.chunk, position)) {
    (*waiting)[result.id][{result.chunk, position}].push_back(offer);
  } else {
    metrics_.ignored_results.Increment();
    offer->taken = true;
  }
}

absl::Status Engine::TakeFailure(Offer* offer, const Waiting& waiting) {
  const Result& result = offer->result;
  Active* active = FindActive(result.id, result.attempt);
  if (active == nullptr || active->job.separation.state() != v1::Separation::STATE_SEPARATING ||
      CanJoin(active->job, result.chunk, waiting)) {
    metrics_.ignored_results.Increment();
    offer->taken = true;
    return absl::OkStatus();
  }
  const absl::Status status = RecordFailure(result, active);
  offer->taken = status.ok();
  if (!status.ok()) WaitForDisk(active, status);
  return status;
}

absl::Status Engine::TakeSamples(base::SeparationId id, bool all, Waiting* waiting) {
  const int attempt = waiting->begin()->second.front()->result.attempt;
  Join(id, attempt, waiting);
  Active* active = FindActive(id, attempt);
  if (active == nullptr) {  // a failure, or damage, has ended it
    Ignore(*waiting);
    return absl::OkStatus();
  }
  if (!all || waiting->empty()) return absl::OkStatus();
  absl::Status stored = StoreSamples(active, waiting);
  if (!stored.ok() && !absl::IsResourceExhausted(stored)) {
    // A folder that takes nothing must not keep the results of others in their queue.
    stored = FailNow(active, "STORAGE_DAMAGED", std::string(stored.message()));
    if (stored.ok()) {
      Ignore(*waiting);
      return absl::OkStatus();
    }
  }
  if (!stored.ok()) {
    WaitForDisk(active, stored);
    return stored;
  }
  // Unless it is the join that waits.
  if (active->join_again == absl::InfiniteFuture())
    active->job.separation.mutable_progress()->clear_waiting_for();
  Tell(active);
  return absl::OkStatus();
}

void Engine::Ignore(const Waiting& waiting) {
  for (const auto& [place, offers] : waiting) {
    metrics_.ignored_results.Increment(static_cast<double>(offers.size()));
    for (Offer* offer : offers) offer->taken = true;
  }
}

absl::Status Engine::RecordFailure(const Result& result, Active* active) {
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
    const absl::Status saved = store_->SaveChunks(job, {result.chunk});
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
