#include "services/assembler/job.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {
namespace {

std::string Clock(double seconds) {
  // In whole tenths, so that nothing is rounded up to 60.0 seconds.
  constexpr int64_t kTenths = 10;
  constexpr int64_t kMinute = 60 * kTenths;
  const int64_t tenths = std::llround(seconds * kTenths);
  return absl::StrFormat("%d:%02d.%d", tenths / kMinute, tenths % kMinute / kTenths,
                         tenths % kTenths);
}

}  // namespace

absl::Status UnknownSeparation(base::SeparationId id) {
  return base::Error(
      absl::StatusCode::kNotFound, "UNKNOWN_SEPARATION",
      absl::StrCat("There is no ", base::SeparationName(id),
                   ". It may have been deleted; `unbraid list` shows what there is."));
}

absl::Status StaleAttempt() {
  return base::Error(absl::StatusCode::kAborted, "STALE_ATTEMPT", "This attempt has ended.");
}

bool IsTerminal(v1::Separation::State state) {
  return state == v1::Separation::STATE_SUCCEEDED || state == v1::Separation::STATE_FAILED ||
         state == v1::Separation::STATE_CANCELLED;
}

void SetExpireTime(absl::Time used, absl::Duration retention, v1::Separation* separation) {
  separation->clear_expire_time();
  if (!IsTerminal(separation->state()) || retention == absl::InfiniteDuration()) return;
  *separation->mutable_expire_time() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(
      absl::ToUnixMicros(used + retention));
}

bool Job::ended() const { return IsTerminal(separation.state()); }

audio::Passes Job::passes() const {
  // CheckOpen has let the geometry through.
  return {*audio::ChunkGeometry::Create(open.window_frames(), open.overlap_frames()),
          audio::PassSilences(open.separation().shifts(), open.separation().shift_seed(),
                              open.model_rate_hz()),
          model_frames};
}

int64_t Job::UsefulFrames(int64_t chunk) const { return passes().Span(chunk).useful; }

bool Job::StemDone(int64_t chunk, int position) const {
  const uint32_t bit = uint32_t{1} << static_cast<unsigned>(position);
  return (chunk_records[static_cast<size_t>(chunk)].stems_done & bit) != 0;
}

bool Job::ChunkDone(int64_t chunk) const {
  const uint32_t all = (uint32_t{1} << static_cast<unsigned>(computed_stems())) - 1;
  return chunk_records[static_cast<size_t>(chunk)].stems_done == all;
}

int64_t Job::ChunksDone() const {
  int64_t done = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) done += ChunkDone(chunk) ? 1 : 0;
  return done;
}

int64_t Job::JoinedFrames() const {
  if (model_frames == 0) return 0;
  const audio::Passes all = passes();
  return all.JoinedFrames(all.last(), joined);
}

int Job::ComputedPosition(int model_stem) const {
  const auto& stems = open.computed_stems();
  const auto found = std::find(stems.begin(), stems.end(), model_stem);
  return found == stems.end() ? -1 : static_cast<int>(found - stems.begin());
}

std::string Job::DescribeChunk(int64_t chunk) const {
  const double rate = open.model_rate_hz();
  const audio::Passes all = passes();
  const audio::TrackSpan span = all.InTrack(chunk);
  const std::string pass =
      all.count() == 1 ? ""
                       : absl::StrCat("pass ", all.PassOf(chunk) + 1, " of ", all.count(), ", ");
  return absl::StrFormat("chunk %d (%s%s to %s)", chunk, pass,
                         Clock(static_cast<double>(span.first) / rate),
                         Clock(static_cast<double>(span.end) / rate));
}

audio::OutputFormat Job::output_format() const {
  const v1::OutputFormat& format = open.separation().output_format();
  audio::OutputFormat result;
  result.container = static_cast<audio::OutputContainer>(format.container());
  result.sample_format = static_cast<audio::SampleFormat>(format.sample_format());
  // A job that an older splitter has opened has none.
  if (format.clip() != v1::OutputFormat::CLIP_POLICY_UNSPECIFIED) {
    result.clip = static_cast<audio::ClipPolicy>(format.clip());
  }
  result.dither = static_cast<audio::Dither>(format.dither());
  if (format.has_quality()) result.quality = format.quality();
  result.bitrate_kbps = format.bitrate_kbps();
  return result;
}

}  // namespace unbraid::assembler
