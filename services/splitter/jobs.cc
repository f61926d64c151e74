#include "services/splitter/jobs.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/canonical.h"

namespace unbraid::splitter {
namespace {

constexpr absl::Duration kOpenAgainEvery = absl::Seconds(2);

// Whether the assembler may have heard the call, or may hear it later; or could, at another moment.
bool MayHaveOpened(const absl::Status& status) {
  const bool passes = absl::IsResourceExhausted(status) && base::ReasonOf(status) != "DISK_FULL";
  return passes || absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status) || absl::IsInternal(status) || absl::IsUnknown(status);
}

bool HasEnded(const v1::Separation& separation) {
  return separation.state() == v1::Separation::STATE_SUCCEEDED ||
         separation.state() == v1::Separation::STATE_FAILED ||
         separation.state() == v1::Separation::STATE_CANCELLED;
}

// Whether the answer to an opening says that this creation has come to nothing.
bool CameToNothing(const absl::StatusOr<v1::Separation>& opened) {
  if (!opened.ok()) return base::ReasonOf(opened.status()) == "UNKNOWN_SEPARATION";
  return HasEnded(*opened) && opened->state() != v1::Separation::STATE_SUCCEEDED;
}

int64_t DrawCreation() {
  std::random_device random;
  const uint64_t bits = uint64_t{random()} << 32U | random();
  return std::max<int64_t>(1, static_cast<int64_t>(bits >> 1U));
}

}  // namespace

class Jobs::Opening {
 public:
  Opening(Jobs* jobs, base::SeparationId id) : jobs_(jobs), id_(id) {
    absl::MutexLock lock(&jobs_->mutex_);
    ++jobs_->opening_[id_];
  }
  ~Opening() { jobs_->EndOpening(id_); }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

 private:
  Jobs* const jobs_;
  const base::SeparationId id_;
};

Jobs::Jobs(const Pipeline::Parts& parts, Pipeline* pipeline, const std::string& splitter)
    : parts_(parts), pipeline_(pipeline), splitter_(splitter) {}

absl::Status Jobs::Recover(std::vector<GivenOut> given_out) {
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<Job> jobs, parts_.jobs->All());
  std::set<base::SeparationId> known;
  absl::MutexLock lock(&mutex_);
  given_out_ = std::move(given_out);
  for (const Job& job : jobs) {
    known.insert(job.id);
    if (job.attempt == 0) unopened_.insert(job.id);
  }
  return parts_.spools->RemoveAllBut(known);
}

absl::StatusOr<v1::Separation> Jobs::Start(const std::string& owner, const v1::Separation& wanted) {
  bool is_new = false;
  absl::StatusOr<Job> job = Record(owner, wanted, &is_new);
  if (absl::IsResourceExhausted(job.status())) return FindFinished(owner, wanted, job.status());
  if (!job.ok()) return job.status();
  absl::StatusOr<v1::Separation> opened = Open(*job, is_new);
  if (is_new || !CameToNothing(opened)) return opened;
  // The record was of an end that this process had not heard of.
  job = Record(owner, wanted, &is_new);
  if (!job.ok()) return job.status();
  return Open(*job, is_new);
}

absl::StatusOr<Job> Jobs::Make(const std::string& owner, const v1::Separation& wanted) const {
  UNBRAID_ASSIGN_OR_RETURN(const base::TrackId track_id, base::ParseTrackName(wanted.track()));
  UNBRAID_ASSIGN_OR_RETURN(const v1::Track track, parts_.tracks->Find(track_id));
  UNBRAID_ASSIGN_OR_RETURN(const model::Package* package, parts_.catalogue->Find(wanted.model()));
  return MakeJob(owner, wanted, track, *package, splitter_);
}

absl::StatusOr<Job> Jobs::Record(const std::string& owner, const v1::Separation& wanted,
                                 bool* is_new) {
  absl::MutexLock lock(&record_mutex_);
  UNBRAID_ASSIGN_OR_RETURN(Job job, Make(owner, wanted));
  UNBRAID_ASSIGN_OR_RETURN(const base::TrackId track, base::ParseTrackName(wanted.track()));
  const absl::Status use = parts_.tracks->Use(track);
  if (!use.ok()) telemetry::Warning("a use could not be noted", {{"error", use}});
  UNBRAID_ASSIGN_OR_RETURN(const std::optional<Job> known, parts_.jobs->Find(job.id));
  *is_new = !known;
  if (!known) {
    job.open.set_creation(DrawCreation());
    UNBRAID_RETURN_IF_ERROR(SaveNew(job));
    return job;
  }
  if (known->open.fingerprint_sha256() != job.open.fingerprint_sha256()) {
    return base::Error(absl::StatusCode::kFailedPrecondition, "ID_COLLISION",
                       "Another separation has the same id; change an option slightly.");
  }
  return *known;
}

absl::StatusOr<v1::Separation> Jobs::Open(const Job& job, bool is_new) {
  const Opening opening(this, job.id);
  const absl::StatusOr<internal::v1::OpenSeparationResponse> opened =
      parts_.assembler->Open(job.owner, job.open);
  if (!opened.ok()) {
    if (MayHaveOpened(opened.status())) {
      absl::MutexLock lock(&mutex_);
      if (job.attempt == 0) unopened_.insert(job.id);
    } else if (is_new || CameToNothing(opened.status())) {
      ForgetCreation(job, job.attempt);
    }
    return opened.status();
  }
  Job accepted = job;
  accepted.attempt = opened->attempt();
  if (HasEnded(opened->separation())) {
    (void)TakeHeard(job.id, accepted.attempt);  // of a life that is over
    ForgetCreation(job, accepted.attempt);
  } else {
    UNBRAID_RETURN_IF_ERROR(Accept(accepted, opened->started()));
  }
  return opened->separation();
}

absl::Status Jobs::Accept(const Job& job, bool started) {
  absl::MutexLock news(&news_mutex_);  // what comes meanwhile finds it active
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    const auto ended = ended_.find(job.id);
    over = ended != ended_.end() && ended->second >= job.attempt;
  }
  if (over) {
    ForgetCreation(job, job.attempt);
    return absl::OkStatus();
  }
  UNBRAID_RETURN_IF_ERROR(parts_.jobs->Save(job));
  const auto heard = TakeHeard(job.id, job.attempt);
  {
    absl::MutexLock lock(&mutex_);
    unopened_.erase(job.id);
    opened_in_[job.id] = stream_;
    // One that was opened before this process knew the assembler has chunks already; the first
    // snapshot tells which.
    if (!started && !synced_ && !heard) return absl::OkStatus();
  }
  telemetry::Info("separation opened",
                  {{"separation", job.id.ToString()}, {"attempt", job.attempt}});
  const bool told = heard && heard->active.attempt() == job.attempt;
  pipeline_->Activate(job, told ? NotToSend(heard->active) : std::vector<bool>());
  if (told) PassRetriesOn(*heard);
  return absl::OkStatus();
}

std::optional<Jobs::Heard> Jobs::TakeHeard(base::SeparationId id, int32_t attempt) {
  absl::MutexLock lock(&mutex_);
  const auto heard = heard_.find(id);
  if (heard == heard_.end() || heard->second.active.attempt() > attempt) return std::nullopt;
  return std::move(heard_.extract(heard).mapped());
}

// What was heard meanwhile, and not taken by the opener, whose answer was perhaps lost, counts now.
void Jobs::EndOpening(base::SeparationId id) {
  absl::MutexLock news(&news_mutex_);
  int32_t ended = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (--opening_[id] > 0) return;
    opening_.erase(id);
    if (const auto end = ended_.extract(id)) ended = end.mapped();
  }
  ForgetEnded(id, ended);
  if (const auto heard = TakeHeard(id, std::numeric_limits<int32_t>::max())) TakeIn(*heard);
}

// But for the record of a creation that the assembler has not answered yet.
void Jobs::ForgetEnded(base::SeparationId id, int32_t attempt) {
  if (attempt == 0) return;
  const absl::StatusOr<std::optional<Job>> known = parts_.jobs->Find(id);
  const bool ended = known.ok() && *known && (*known)->attempt > 0 && (*known)->attempt <= attempt;
  if (ended) Forget(id, attempt);
}

void Jobs::ForgetCreation(const Job& job, int32_t attempt) {
  absl::MutexLock lock(&record_mutex_);
  const absl::StatusOr<std::optional<Job>> known = parts_.jobs->Find(job.id);
  const bool replaced = known.ok() && *known && (*known)->open.creation() != job.open.creation();
  if (!replaced) Forget(job.id, attempt);
}

void Jobs::Forget(base::SeparationId id, int32_t attempt) {
  {
    absl::MutexLock lock(&mutex_);
    unopened_.erase(id);
    opened_in_.erase(id);
  }
  const absl::Status removed = parts_.jobs->Remove(id, attempt);
  if (!removed.ok()) telemetry::Warning("record of an ended job stays", {{"error", removed}});
}

absl::Status Jobs::DeleteTrack(base::TrackId id) {
  absl::MutexLock lock(&record_mutex_);
  UNBRAID_ASSIGN_OR_RETURN(const bool used, parts_.jobs->UsesTrack(base::TrackName(id)));
  if (used) {
    return base::Error(absl::StatusCode::kFailedPrecondition, "TRACK_IN_USE",
                       absl::StrCat("A separation still reads ", base::TrackName(id),
                                    "; cancel it first, or wait for its end."));
  }
  return parts_.tracks->Delete(id);
}

void Jobs::Tick() {
  std::set<base::SeparationId> again;
  {
    absl::MutexLock lock(&mutex_);
    if (base::SteadyNow() < open_again_at_) return;
    open_again_at_ = base::SteadyNow() + kOpenAgainEvery;
    for (const base::SeparationId id : unopened_) {
      if (opening_.count(id) == 0) again.insert(id);
    }
  }
  for (const base::SeparationId id : again) {
    const absl::StatusOr<std::optional<Job>> job = parts_.jobs->Find(id);
    if (!job.ok() || !job->has_value()) continue;
    // From now on it is being opened, however long the others before it take.
    (void)parts_.calls->Post([this, record = **job, opening = std::make_shared<Opening>(this, id)] {
      OpenAgain(record);
    });
  }
}

void Jobs::OpenAgain(const Job& job) {
  const absl::Status status = Open(job, /*is_new=*/true).status();
  if (!status.ok()) {
    telemetry::Warning("recorded separation could not be opened",
                       {{"separation", job.id.ToString()}, {"error", status}});
  }
}

bool Jobs::NoteEnd(base::SeparationId id, int32_t attempt) {
  absl::MutexLock lock(&mutex_);
  if (opening_.count(id) == 0) return false;
  int32_t& ended = ended_[id];
  ended = std::max(ended, attempt);
  return true;
}

}  // namespace unbraid::splitter
