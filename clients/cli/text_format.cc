#include "clients/cli/text_format.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "services/common/base/package_id.h"
#include "services/common/base/utf8.h"

namespace unbraid::cli {
namespace {

constexpr int kSecondsPerMinute = 60;
constexpr int kSecondsPerHour = 3600;

// "SUCCEEDED" for STATE_SUCCEEDED.
std::string StateName(v1::Separation::State state) {
  return std::string(absl::StripPrefix(v1::Separation::State_Name(state), "STATE_"));
}

std::string FormatMoment(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string DescribeWorkers(const v1::QueueStatus& queue) {
  if (queue.workers() > 0) return absl::StrCat(queue.workers(), " workers");
  const base::PackageId package{queue.model(), queue.model_sha256()};
  return absl::StrCat("no worker for this model is connected that has package ",
                      package.short_hash());
}

// "7d" or "1h30m"; without a duration: "for ever".
std::string FormatLife(bool limited, const google::protobuf::Duration& life) {
  if (!limited) return "for ever";
  constexpr int64_t kSecondsPerDay = 24 * kSecondsPerHour;
  if (life.seconds() >= kSecondsPerDay && life.seconds() % kSecondsPerDay == 0)
    return absl::StrCat(life.seconds() / kSecondsPerDay, "d");
  return absl::FormatDuration(absl::Seconds(life.seconds()) + absl::Nanoseconds(life.nanos()));
}

std::string DescribeKeeping(const v1::Limits& limits) {
  std::string line = absl::StrCat(
      "Kept after the last use: tracks ",
      FormatLife(limits.has_track_retention(), limits.track_retention()), ", separations ",
      FormatLife(limits.has_separation_retention(), limits.separation_retention()),
      ", unfinished uploads ",
      FormatLife(limits.has_upload_retention(), limits.upload_retention()));
  if (limits.owner_quota_bytes() > 0) {
    absl::StrAppend(&line, "; at most ", FormatBytes(limits.owner_quota_bytes()),
                    " of tracks and uploads");
  }
  return absl::StrCat(line, "\n");
}

}  // namespace

std::string FormatBytes(int64_t bytes) {
  constexpr std::array<const char*, 4> kUnits = {"kB", "MB", "GB", "TB"};
  constexpr double kStep = 1000;
  if (bytes < kStep) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes) / kStep;
  size_t unit = 0;
  for (; value >= kStep && unit + 1 < kUnits.size(); ++unit) value /= kStep;
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string FormatClock(int64_t seconds) {
  const int64_t hours = seconds / kSecondsPerHour;
  const int64_t minutes = seconds % kSecondsPerHour / kSecondsPerMinute;
  const int64_t rest = seconds % kSecondsPerMinute;
  if (hours > 0) return absl::StrFormat("%d:%02d:%02d", hours, minutes, rest);
  return absl::StrFormat("%d:%02d", minutes, rest);
}

std::string Printable(absl::string_view label) { return base::Printable(label); }

std::string DescribeTrack(const v1::Track& track) {
  std::string line = absl::StrFormat("%s: %s, %s %s, %d Hz, %d channel%s", track.name(),
                                     FormatClock(track.duration().seconds()), track.container(),
                                     track.codec(), track.sample_rate_hz(), track.source_channels(),
                                     track.source_channels() == 1 ? "" : "s");
  if (track.silenced_samples() > 0) {
    absl::StrAppend(&line, ", ", track.silenced_samples(), " samples silenced");
  }
  if (track.channels() < track.source_channels()) absl::StrAppend(&line, ", mixed down to stereo");
  if (!track.display_name().empty()) {
    absl::StrAppend(&line, ", \"", Printable(track.display_name()), "\"");
  }
  return line;
}

std::string Describe(const v1::Track& track) {
  std::string text = absl::StrCat(DescribeTrack(track), "\n");
  if (track.has_expire_time())
    absl::StrAppend(&text, "  kept until ", FormatMoment(track.expire_time()), " if not used\n");
  return text;
}

std::string Describe(const v1::Separation& separation) {
  std::string text = absl::StrFormat("%s: %s %.0f %%, %s, model %s, stems %s%s\n",
                                     separation.name(), StateName(separation.state()),
                                     separation.progress().percent(), separation.track(),
                                     separation.model(), absl::StrJoin(separation.stems(), ","),
                                     separation.residual() ? ", residual" : "");
  if (separation.shifts() > 0) {
    absl::StrAppend(&text, "  mean of ", separation.shifts(), " passes, shift seed ",
                    separation.shift_seed(), "\n");
  }
  if (separation.gain_db() < 0) {
    absl::StrAppend(&text,
                    absl::StrFormat("  all outputs turned down by %.2f dB against clipping\n",
                                    -separation.gain_db()));
  }
  if (separation.clipped_samples() > 0) {
    absl::StrAppend(&text, "  ", separation.clipped_samples(),
                    " samples were beyond full scale and are limited to it\n");
  }
  if (separation.has_failure()) {
    absl::StrAppend(&text, "  ", separation.failure().message(), " [",
                    separation.failure().reason(), "]\n");
  }
  for (const v1::StemFile& output : separation.outputs()) {
    absl::StrAppend(&text, "  ", output.name(), ": ", FormatBytes(output.size_bytes()), "\n");
  }
  if (separation.has_expire_time()) {
    absl::StrAppend(&text, "  kept until ", FormatMoment(separation.expire_time()),
                    " if not used\n");
  }
  return text;
}

std::string Describe(const v1::ListTracksResponse& list) {
  std::string text;
  for (const v1::Track& track : list.tracks()) absl::StrAppend(&text, Describe(track));
  return text;
}

std::string Describe(const v1::ListSeparationsResponse& list) {
  std::string text;
  for (const auto& separation : list.separations()) absl::StrAppend(&text, Describe(separation));
  return text;
}

std::string Describe(const v1::ListModelsResponse& list) {
  std::string text;
  for (const v1::Model& model : list.models()) {
    absl::StrAppend(&text, model.name(), " ", model.version(), model.default_() ? " (default)" : "",
                    ": ", model.title(), "\n  stems ", absl::StrJoin(model.stems(), ", "),
                    "; licence of the weights: ", model.licence(), "\n  source: ", model.source(),
                    "\n");
  }
  return text;
}

std::string Describe(const v1::ServerInfo& info) {
  const v1::Limits& limits = info.limits();
  std::string text = absl::StrFormat(
      "Unbraid %s\nLimits: %s a file, %s of music, %d channels, %d to %d Hz\n", info.version(),
      FormatBytes(limits.max_upload_bytes()), FormatClock(limits.max_duration().seconds()),
      limits.max_channels(), limits.min_sample_rate_hz(), limits.max_sample_rate_hz());
  absl::StrAppend(&text, DescribeKeeping(limits));
  for (const v1::ServiceStatus& service : info.services()) {
    absl::StrAppend(&text, service.name(), " ", service.version(), ": ",
                    service.available() ? "available" : "not available",
                    service.message().empty() ? "" : ", ", service.message(), "\n");
  }
  absl::StrAppend(&text, "broker: ", info.broker().connected() ? "connected" : "not connected",
                  info.broker().blocked() ? ", blocked" : "",
                  info.broker().message().empty() ? "" : ", ", info.broker().message(), "\n");
  for (const v1::QueueStatus& queue : info.queues()) {
    absl::StrAppend(&text, "model ", queue.model(), ": ", DescribeWorkers(queue), ", ",
                    queue.ready_chunks(), " chunks waiting\n");
  }
  return text;
}

}  // namespace unbraid::cli
