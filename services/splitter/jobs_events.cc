// What Jobs does at the assembler's news.
#include <algorithm>
#include <utility>

#include "services/common/grpc/channel.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/jobs.h"

namespace unbraid::splitter {
namespace {

// Chunk k is bit k % 8 of byte k / 8.
std::vector<bool> DoneChunks(const internal::v1::ActiveSeparation& active) {
  std::vector<bool> done(static_cast<size_t>(active.chunks()), false);
  const std::string& bits = active.done_chunks();
  for (size_t k = 0; k < done.size() && k / 8 < bits.size(); ++k) {
    done[k] = ((static_cast<unsigned char>(bits[k / 8]) >> (k % 8)) & 1U) != 0;
  }
  return done;
}

}  // namespace

void Jobs::OnConnected(const std::string& assembler) {
  parts_.dispatcher->SetAssembler(assembler);
  absl::MutexLock news(&news_mutex_);
  absl::MutexLock lock(&mutex_);
  ++stream_;
  named_.clear();
  heard_.clear();
  in_snapshot_ = true;
}

void Jobs::OnActive(const internal::v1::ActiveSeparation& active) {
  absl::MutexLock news(&news_mutex_);
  TakeIn({active, {}});
}

void Jobs::TakeIn(const Heard& heard) {
  const internal::v1::ActiveSeparation& active = heard.active;
  const base::SeparationId id(active.separation_id());
  {
    absl::MutexLock lock(&mutex_);
    if (in_snapshot_) named_.insert(id);
  }
  if (pipeline_->Holds(id, active.attempt())) {
    pipeline_->OnDone(id, active.attempt(), DoneChunks(active));
    return PassRetriesOn(heard);
  }
  {
    absl::MutexLock lock(&mutex_);
    // Whoever is opening it gets to know the attempt by the answer.
    if (opening_.count(id) > 0) {
      heard_[id] = heard;
      return;
    }
  }
  absl::StatusOr<std::optional<Job>> found = parts_.jobs->Find(id);
  if (!found.ok()) {
    telemetry::Error("cannot read a record", {{"error", found.status()}});
    return;
  }
  if (!found->has_value()) return OnLost(active);
  Job job = **std::move(found);
  if (job.attempt > active.attempt()) return;  // a client has begun it again meanwhile
  job.attempt = active.attempt();
  const absl::Status saved = parts_.jobs->Save(job);
  if (!saved.ok()) telemetry::Error("cannot save a record", {{"error", saved}});
  {
    absl::MutexLock lock(&mutex_);
    unopened_.erase(id);
  }
  telemetry::Info("going on with a separation", {{"separation", id.ToString()}});
  pipeline_->Activate(job, NotToSend(active));
  PassRetriesOn(heard);
}

void Jobs::PassRetriesOn(const Heard& heard) {
  for (const internal::v1::RetryChunk& retry : heard.retries) {
    pipeline_->Retry(base::SeparationId(retry.separation_id()), retry.attempt(),
                     retry.chunk_index(), retry.try_());
  }
}

std::vector<bool> Jobs::NotToSend(const internal::v1::ActiveSeparation& active) {
  std::vector<bool> chunks = DoneChunks(active);
  absl::MutexLock lock(&mutex_);
  for (const GivenOut& given : given_out_) {
    if (given.id.value() != active.separation_id() || given.attempt != active.attempt()) continue;
    for (size_t k = 0; k < std::min(chunks.size(), given.chunks.size()); ++k)
      chunks[k] = chunks[k] || given.chunks[k];
  }
  return chunks;
}

void Jobs::OnLost(const internal::v1::ActiveSeparation& active) {
  parts_.failures->Report(
      grpc_util::kDefaultOwner,
      MakeFailure(active.separation_id(), active.attempt(), "JOB_LOST",
                  "The splitter has lost its record of this separation. Upload the track again if "
                  "it is gone, and create the separation again."),
      nullptr);
}

void Jobs::OnSnapshotEnd() {
  const absl::StatusOr<std::vector<Job>> jobs = parts_.jobs->All();
  if (!jobs.ok()) {
    telemetry::Error("cannot read the records", {{"error", jobs.status()}});
    return;
  }
  absl::MutexLock news(&news_mutex_);
  std::vector<Job> ended;
  {
    absl::MutexLock lock(&mutex_);
    in_snapshot_ = false;
    synced_ = true;
    for (const Job& job : *jobs) {
      if (job.attempt == 0 || named_.count(job.id) > 0) continue;
      const auto opened = opened_in_.find(job.id);
      if (opened != opened_in_.end() && opened->second == stream_) continue;
      ended.push_back(job);
    }
  }
  for (const Job& job : ended) {
    pipeline_->Drop(job.id, job.attempt);
    if (!NoteEnd(job.id, job.attempt)) Forget(job.id, job.attempt);
  }
}

void Jobs::OnEnded(const internal::v1::EndedSeparation& ended) {
  const base::SeparationId id(ended.separation_id());
  telemetry::Info("separation ended",
                  {{"separation", id.ToString()}, {"attempt", ended.attempt()}});
  absl::MutexLock news(&news_mutex_);
  pipeline_->Drop(id, ended.attempt());
  (void)TakeHeard(id, ended.attempt());
  // A new attempt that is being opened needs the record.
  if (!NoteEnd(id, ended.attempt())) Forget(id, ended.attempt());
}

void Jobs::OnRetry(const internal::v1::RetryChunk& retry) {
  absl::MutexLock news(&news_mutex_);
  {
    absl::MutexLock lock(&mutex_);
    const auto heard = heard_.find(base::SeparationId(retry.separation_id()));
    if (heard != heard_.end()) return heard->second.retries.push_back(retry);
  }
  pipeline_->Retry(base::SeparationId(retry.separation_id()), retry.attempt(), retry.chunk_index(),
                   retry.try_());
}

}  // namespace unbraid::splitter
