#include "services/splitter/canonical.h"

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "services/common/audio/passes.h"
#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/base/utf8.h"
#include "services/splitter/output_format.h"

namespace unbraid::splitter {
namespace {

constexpr double kLargestGain = 10;

absl::Status UnknownStem(const std::string& stem, const model::Package& package) {
  return base::Error(
      absl::StatusCode::kInvalidArgument, "UNKNOWN_STEM",
      absl::StrCat("The model ", package.name, " has no stem '", base::Printable(stem, 80),
                   "'; it has ", absl::StrJoin(package.stems, ", "), "."));
}

// The stems that get a file, in the model's order.
absl::StatusOr<std::vector<std::string>> WantedStems(const v1::Separation& wanted,
                                                     const model::Package& package) {
  if (wanted.stems().empty()) return package.stems;
  for (const std::string& stem : wanted.stems()) {
    if (package.StemIndex(stem) < 0) return UnknownStem(stem, package);
  }
  const std::set<std::string> named(wanted.stems().begin(), wanted.stems().end());
  std::vector<std::string> stems;
  for (const std::string& stem : package.stems) {
    if (named.count(stem) > 0) stems.push_back(stem);
  }
  return stems;
}

// The gain of every stem that takes part in the mix.
absl::StatusOr<std::map<std::string, double>> MixGains(const v1::Separation& wanted,
                                                       const std::vector<std::string>& stems,
                                                       const model::Package& package) {
  std::map<std::string, double> gains;
  for (const std::string& stem : stems) gains[stem] = 1.0;
  for (const auto& [stem, gain] : wanted.mix().gains()) {
    if (package.StemIndex(stem) < 0) return UnknownStem(stem, package);
    if (!std::isfinite(gain) || std::abs(gain) > kLargestGain) {
      return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_MIX",
                         absl::StrCat("The gain of '", stem, "' is ", gain, "; it must be ",
                                      -kLargestGain, " to ", kLargestGain, "."));
    }
    if (gain != 0) {
      gains[stem] = gain;
    } else if (gains.count(stem) > 0) {
      gains[stem] = 0;  // plain zero, also for -0
    }                   // a stem that is neither wanted nor heard need not be computed
  }
  return gains;
}

absl::Status CheckShifts(int shifts) {
  if (shifts >= 0 && shifts <= audio::kMaxShifts) return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kInvalidArgument, "INVALID_SHIFTS",
      absl::StrCat("There can be 1 to ", audio::kMaxShifts, " shifts, or 0 for none, not ", shifts,
                   "; each is one pass over the whole track."));
}

absl::StatusOr<v1::Separation> Canonical(const v1::Separation& wanted, const v1::Track& track,
                                         const model::Package& package) {
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> stems, WantedStems(wanted, package));
  UNBRAID_ASSIGN_OR_RETURN(const auto gains, MixGains(wanted, stems, package));
  UNBRAID_RETURN_IF_ERROR(CheckShifts(wanted.shifts()));
  v1::Separation canonical;
  canonical.set_track(track.name());
  canonical.set_model(package.name);
  canonical.set_model_sha256(package.sha256);
  for (const std::string& stem : stems) canonical.add_stems(stem);
  canonical.set_residual(wanted.residual());
  canonical.set_shifts(wanted.shifts());
  if (wanted.shifts() > 0) canonical.set_shift_seed(wanted.shift_seed());
  canonical.mutable_mix()->mutable_gains()->insert(gains.begin(), gains.end());
  UNBRAID_ASSIGN_OR_RETURN(*canonical.mutable_output_format(),
                           ResolveFormat(wanted.output_format(), track));
  return canonical;
}

}  // namespace

absl::StatusOr<Job> MakeJob(const std::string& owner, const v1::Separation& wanted,
                            const v1::Track& track, const model::Package& package,
                            const std::string& splitter) {
  UNBRAID_ASSIGN_OR_RETURN(v1::Separation canonical, Canonical(wanted, track, package));
  const base::Sha256Digest digest =
      base::Sha256Of(FingerprintText(owner, track.sha256(), package.sha256, canonical));
  Job job;
  job.id = base::SeparationId::FromDigest(digest);
  job.owner = owner;
  canonical.set_name(base::SeparationName(job.id));
  internal::v1::OpenSeparationRequest& open = job.open;
  open.set_separation_id(job.id.value());
  open.set_fingerprint_sha256(base::ToHex(digest));
  open.set_splitter(splitter);
  *open.mutable_track() = track;
  open.mutable_track()->clear_expire_time();  // it moves
  for (size_t i = 0; i < package.stems.size(); ++i) {
    open.add_model_stems(package.stems[i]);
    // The gains name every stem that is wanted or heard; a residual is what all of them leave.
    if (canonical.residual() || canonical.mix().gains().contains(package.stems[i])) {
      open.add_computed_stems(static_cast<int32_t>(i));
    }
  }
  open.set_model_rate_hz(package.sample_rate_hz);
  open.set_window_frames(package.window_frames);
  open.set_overlap_frames(package.overlap_frames);
  open.set_model_sha256(package.sha256);
  *open.mutable_separation() = std::move(canonical);
  return job;
}

std::string FingerprintText(const std::string& owner, const std::string& track_sha256,
                            const std::string& package_sha256, const v1::Separation& canonical) {
  std::string text = "unbraid separation 2\n";
  // The length keeps an owner's name from passing for another line.
  absl::StrAppend(&text, "owner ", owner.size(), " ", owner, "\n");
  absl::StrAppend(&text, "track ", track_sha256, "\nmodel ", package_sha256, "\n");
  absl::StrAppend(&text, "stems ", absl::StrJoin(canonical.stems(), ","), "\n");
  const std::map<std::string, double> sorted(canonical.mix().gains().begin(),
                                             canonical.mix().gains().end());
  for (const auto& [stem, gain] : sorted) {
    absl::StrAppend(&text, "mix ", stem, " ", absl::StrFormat("%.17g", gain), "\n");
  }
  absl::StrAppend(&text, FormatText(canonical.output_format()));
  if (canonical.residual()) absl::StrAppend(&text, "residual 1\n");
  if (canonical.shifts() > 0) {
    absl::StrAppend(&text, "shifts ", canonical.shifts(), " ", canonical.shift_seed(), "\n");
  }
  return text;
}

}  // namespace unbraid::splitter
