// What Pipeline does by the clock.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "services/common/base/steady.h"
#include "services/splitter/pipeline.h"
#include "services/splitter/waiting_text.h"

namespace unbraid::splitter {
namespace {

constexpr absl::Duration kSayAgain = absl::Seconds(5);

}  // namespace

bool Pipeline::Tick() {
  parts_.dispatcher->Wake();
  const std::vector<Job> jobs = ContinueAll();
  const QueueLooks queues = LookAtQueues(jobs);
  bool ask = false;
  for (const Job& job : jobs) {
    const absl::StatusOr<QueueCounts>& chunks = queues.at(job.package());
    ReportWaiting(job, TextFor(job, chunks));
    ask = IsStalled(job, chunks) || ask;
  }
  return ask;
}

// At those of active jobs and of notices. May wait for the broker, so no lock is held.
Pipeline::QueueLooks Pipeline::LookAtQueues(const std::vector<Job>& jobs) {
  std::set<base::PackageId> packages = notices_.packages();
  for (const Job& job : jobs) packages.insert(job.package());
  QueueLooks looks;
  for (const base::PackageId& package : packages) {
    const absl::StatusOr<QueueCounts> counts = parts_.window->Chunks(package);
    looks.emplace(package, counts);
    notices_.Tick(package, counts, base::SteadyNow());
    if (!counts.ok()) continue;
    const std::map<std::string, std::string> labels = {{"model", package.name},
                                                       {"package", package.short_hash()}};
    metrics_->Gauge("unbraid_splitter_ready_chunks", "Chunks that wait for a worker", labels)
        .Set(static_cast<double>(counts->ready));
    metrics_
        ->Gauge("unbraid_splitter_ready_window", "Most chunks that may wait for a worker", labels)
        .Set(static_cast<double>(WindowFor(counts->consumers)));
  }
  return looks;
}

// Posts what may be tried again now; gives all jobs.
std::vector<Job> Pipeline::ContinueAll() {
  absl::MutexLock lock(&mutex_);
  std::vector<Job> jobs;
  for (auto& [id, active] : active_) {
    jobs.push_back(active.job);
    const bool due = !active.running && base::SteadyNow() >= active.not_before;
    if (due && active.stage != Stage::kSending) Continue(&active);
  }
  return jobs;
}

std::string Pipeline::TextFor(const Job& job, const absl::StatusOr<QueueCounts>& chunks) {
  {
    absl::MutexLock lock(&mutex_);
    const Active* active = Find(job.id, job.attempt);
    if (active == nullptr) return "";
    if (!active->obstacle.empty()) return active->obstacle;
  }
  const auto package = parts_.catalogue->Find(job.model());
  std::optional<base::PackageId> now;
  if (package.ok()) now = (*package)->id();
  return WaitingText(parts_.sink->state(), chunks, job.package(), now);
}

void Pipeline::ReportWaiting(const Job& job, const std::string& text) {
  {
    absl::MutexLock lock(&mutex_);
    Active* active = Find(job.id, job.attempt);
    if (active == nullptr || active->reporting) return;
    const absl::Time now = base::SteadyNow();
    // The assembler forgets it when it is started again, and at every result, also at those that
    // come late; what it knows already changes nothing there.
    const bool again = !text.empty() && now - active->reported_at >= kSayAgain;
    if (active->reported == text && !again) return;
    active->reported = text;
    active->reported_at = now;
    active->reporting = true;
  }
  internal::v1::ReportWaitingRequest request;
  request.set_separation_id(job.id.value());
  request.set_attempt(job.attempt);
  request.set_waiting_for(text);
  (void)parts_.calls->Post([this, job, request] {
    const absl::Status told = parts_.assembler->ReportWaiting(job.owner, request);
    absl::MutexLock lock(&mutex_);
    Active* active = Find(job.id, job.attempt);
    if (active == nullptr) return;
    active->reporting = false;
    if (!told.ok()) active->reported.reset();  // told again at the next tick
  });
}

// Whether all chunks were sent long ago, none waits in a queue, and nothing was heard since. It
// says so once; the snapshot that is then asked for decides.
bool Pipeline::IsStalled(const Job& job, const absl::StatusOr<QueueCounts>& chunks) {
  const Dispatcher::Quiet quiet = parts_.dispatcher->QuietOf(job.id);
  if (!quiet.all_sent || !chunks.ok() || chunks->ready > 0) return false;
  const auto results = parts_.window->Results(parts_.dispatcher->assembler());
  if (!results.ok() || results->ready > 0) return false;
  absl::MutexLock lock(&mutex_);
  Active* active = Find(job.id, job.attempt);
  if (active == nullptr || active->stage != Stage::kSending || active->stalled) return false;
  const absl::Time last = std::max(active->last_news, quiet.last_sent);
  active->stalled = base::SteadyNow() - last > options_.stall_after;
  return active->stalled;
}

}  // namespace unbraid::splitter
