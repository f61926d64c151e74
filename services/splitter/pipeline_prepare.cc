// How Pipeline makes the spools of separations: a few of them at a time, which take turns.
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/splitter/pipeline.h"

namespace unbraid::splitter {
namespace {

// Each has a decoder, which is a process, and files of its own.
constexpr int kMostPreparations = 16;
// How long a preparation may hold a thread before the next one gets it.
constexpr absl::Duration kSlice = absl::Milliseconds(200);
// How often a job's decoder may be killed from outside.
constexpr int kMostDecoderDeaths = 5;

}  // namespace

void Pipeline::Prepare(base::SeparationId id, int32_t attempt, std::shared_ptr<Preparation> run) {
  const std::optional<Job> job = Current(id, attempt);
  if (!job) {
    // It has ended. A run that was begun removes its file; one that was not leaves its turn.
    if (run == nullptr) WakeNext();
    return;
  }
  if (run == nullptr) {
    if (!TakePlace(id, attempt)) return;  // it is called again when there is one
    auto begun = BeginPreparation(*job);
    if (!begun.ok()) {
      GivePlace();
      return OnNotPrepared(*job, begun.status());
    }
    run = *std::move(begun);
    BeginEarly(*job, *run);
  }
  const absl::Time end = base::SteadyNow() + kSlice;
  while (base::SteadyNow() < end) {
    const absl::StatusOr<bool> complete = run->Step();
    if (!complete.ok()) return OnNotPrepared(*job, complete.status());
    if (*complete) return OnPrepared(*job, run->result());
    GiveOutMore(*job, *run);
  }
  (void)preparing_.Post([this, id, attempt, run] { Prepare(id, attempt, run); });
}

bool Pipeline::TakePlace(base::SeparationId id, int32_t attempt) {
  absl::MutexLock lock(&mutex_);
  if (preparations_ < kMostPreparations) {
    ++preparations_;
    return true;
  }
  waiting_for_place_.emplace_back(id, attempt);
  return false;
}

void Pipeline::GivePlace() {
  {
    absl::MutexLock lock(&mutex_);
    --preparations_;
  }
  WakeNext();
}

void Pipeline::WakeNext() {
  absl::MutexLock lock(&mutex_);
  if (waiting_for_place_.empty() || preparations_ >= kMostPreparations) return;
  const auto [id, attempt] = waiting_for_place_.front();
  waiting_for_place_.pop_front();
  (void)preparing_.Post([this, id = id, attempt = attempt] { Prepare(id, attempt, nullptr); });
}

// Its place is free again when the last one lets go of it.
absl::StatusOr<std::shared_ptr<Preparation>> Pipeline::BeginPreparation(const Job& job) {
  const auto package = parts_.catalogue->Find(job.model());
  if (!package.ok() || (*package)->sha256 != job.open.model_sha256()) {
    return base::Error(absl::StatusCode::kFailedPrecondition, "MODEL_GONE",
                       "The model package was removed or replaced after the separation was "
                       "created. Create it again.");
  }
  UNBRAID_ASSIGN_OR_RETURN(const base::TrackId track,
                           base::ParseTrackName(job.open.track().name()));
  PreparationInput input;
  input.track_path = parts_.tracks->PathOf(track);
  input.spool_path = parts_.spools->PathOf(job.id);
  const std::string song_path = parts_.spools->SongPathOf(job);
  if (job.residual() && song_path != input.spool_path) input.song_path = song_path;
  input.track_rate_hz = job.open.track().sample_rate_hz();
  input.track_frames = job.open.track().frames();
  input.model_rate_hz = job.open.model_rate_hz();
  input.normalisation = (*package)->normalisation;
  input.min_free_bytes = options_.min_free_bytes;
  input.open_audio = options_.open_audio;
  // The upload has asked for it, or the track would have none.
  input.decode.silence_non_finite = job.open.track().silenced_samples() > 0;
  UNBRAID_ASSIGN_OR_RETURN(auto preparation, Preparation::Create(input));
  return std::shared_ptr<Preparation>(preparation.release(), [this](Preparation* ended) {
    delete ended;
    GivePlace();
  });
}

// Whatever killed the decoder may have passed; but a track that gets it killed each time, by the
// memory that it takes or by having taken it over, must not be tried for ever.
void Pipeline::OnNotPrepared(const Job& job, const absl::Status& status) {
  if (!absl::IsUnavailable(status)) return OnObstacle(job, status);
  bool again = true;
  {
    absl::MutexLock lock(&mutex_);
    Active* active = Find(job.id, job.attempt);
    again = active == nullptr || ++active->decoder_deaths < kMostDecoderDeaths;
  }
  if (again) return OnObstacle(job, status);
  Fail(job.id, job.attempt,
       base::Error(absl::StatusCode::kInvalidArgument, "DECODER_LIMIT",
                   absl::StrCat("The decoder was killed ", kMostDecoderDeaths,
                                " times at this track. Convert the file to WAV or FLAC first.")));
}

void Pipeline::OnPrepared(Job job, const Prepared& prepared) {
  const absl::Status saved = parts_.jobs->SavePrepared(job.id, job.attempt, prepared);
  if (!saved.ok()) return OnObstacle(job, saved);
  absl::MutexLock lock(&mutex_);
  Active* active = Find(job.id, job.attempt);
  if (active == nullptr) {
    // It ended just now. A newer attempt may already use the spool, which has the same content.
    if (active_.count(job.id) == 0) (void)parts_.spools->Remove(job.id);
    return;
  }
  active->job.prepared = prepared;
  active->obstacle.clear();
  if (active->growing) return EndEarly(active);
  active->stage = AfterPreparation(job);
  Continue(active);
}

}  // namespace unbraid::splitter
