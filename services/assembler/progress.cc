#include "services/assembler/progress.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

namespace unbraid::assembler {
namespace {

using google::protobuf::util::TimeUtil;

constexpr double kPreparingPercent = 1;
constexpr double kChunksFrom = 2;
constexpr double kChunksTo = 95;
constexpr double kFinishingTo = 99.9;
constexpr double kAll = 100;

double Percent(const Job& job, int64_t done, double finishing) {
  switch (job.separation.state()) {
    case v1::Separation::STATE_PREPARING:
      return kPreparingPercent;
    case v1::Separation::STATE_SEPARATING: {
      // Arrival and joining count half each, so that the figure moves also while one late chunk
      // holds up the joining.
      const auto steps = static_cast<double>(done + job.joined);
      return kChunksFrom +
             (kChunksTo - kChunksFrom) * steps / (2.0 * static_cast<double>(job.chunks));
    }
    case v1::Separation::STATE_FINISHING:
      return kChunksTo + (kFinishingTo - kChunksTo) * std::clamp(finishing, 0.0, 1.0);
    case v1::Separation::STATE_SUCCEEDED:
      return kAll;
    default:
      return 0;  // failed and cancelled keep what they had
  }
}

void Estimate(absl::Time now, const Job& job, int64_t done, v1::Progress* progress) {
  const double elapsed = absl::ToDoubleSeconds(now - job.working_since);
  const int64_t fresh = done - job.done_before;
  progress->clear_remaining();
  if (job.working_since == absl::InfiniteFuture() || elapsed <= 0 || fresh <= 0) return;
  // A second of the track is finished when all passes have it.
  progress->set_speed(static_cast<double>(fresh * job.stride()) / job.passes().count() /
                      job.open.model_rate_hz() / elapsed);
  if (job.separation.state() != v1::Separation::STATE_SEPARATING) return;
  const double left = elapsed * static_cast<double>(job.chunks - done) / static_cast<double>(fresh);
  *progress->mutable_remaining() =
      TimeUtil::MillisecondsToDuration(static_cast<int64_t>(left * 1000));
}

}  // namespace

void UpdateProgress(absl::Time now, double finishing, Job* job) {
  v1::Separation* separation = &job->separation;
  v1::Progress* progress = separation->mutable_progress();
  const int64_t done = job->ChunksDone();
  progress->set_percent(std::max(progress->percent(), Percent(*job, done, finishing)));
  progress->set_chunks_total(job->chunks);
  progress->set_chunks_done(done);
  *progress->mutable_total() = job->open.track().duration();
  if (job->model_frames > 0) {
    *progress->mutable_joined() =
        TimeUtil::MillisecondsToDuration(job->JoinedFrames() * 1000 / job->open.model_rate_hz());
    Estimate(now, *job, done, progress);
  }
  // Microseconds since 1970 grow over restarts as well.
  separation->set_version(std::max(separation->version() + 1, absl::ToUnixMicros(now)));
  *separation->mutable_update_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(now));
  if (job->ended() && !separation->has_end_time()) {
    *separation->mutable_end_time() = separation->update_time();
  }
}

}  // namespace unbraid::assembler
