#include "services/assembler/space.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {
namespace {

constexpr int kMebibyteShift = 20;
// One bit each in ChunkRecord::stems_done.
constexpr int kMaxStems = 31;

absl::Status Bad(absl::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, "BAD_REQUEST",
                     absl::StrCat("The separation cannot be opened: ", what, "."));
}

int64_t ToBytes(double bytes) {
  constexpr double kMost = 9e18;
  return static_cast<int64_t>(std::min(bytes, kMost));
}

double SongBytes(const internal::v1::OpenSeparationRequest& request) {
  return static_cast<double>(request.track().frames()) * request.track().channels() * sizeof(float);
}

double JoinedBytes(const internal::v1::OpenSeparationRequest& request) {
  const v1::Track& track = request.track();
  const double seconds = static_cast<double>(track.frames()) / track.sample_rate_hz();
  return seconds * request.model_rate_hz() * track.channels() * static_cast<double>(sizeof(float)) *
         request.computed_stems_size();
}

// The stems, the mix, the residual.
double OutputBytes(const internal::v1::OpenSeparationRequest& request) {
  const v1::Separation& separation = request.separation();
  return SongBytes(request) * (separation.stems_size() + 1 + (separation.residual() ? 1 : 0));
}

// The song that a residual is made of.
double KeptSongBytes(const internal::v1::OpenSeparationRequest& request) {
  return request.separation().residual() ? SongBytes(request) : 0;
}

// How many joined files there are of each stem: that of the pass before, and a part of the next.
double JoinedFiles(const Job& job) {
  const audio::Passes passes = job.passes();
  const int pass = passes.PassOf(job.joined);
  const auto first = static_cast<double>(passes.FirstChunk(pass));
  const auto end = static_cast<double>(passes.FirstChunk(pass + 1));
  return (pass > 0 ? 1 : 0) + (static_cast<double>(job.joined) - first) / (end - first);
}

absl::Status CheckStems(const internal::v1::OpenSeparationRequest& request) {
  if (request.computed_stems().empty() || request.computed_stems_size() > kMaxStems)
    return Bad("it has no stems, or too many");
  int before = -1;
  for (int stem : request.computed_stems()) {
    if (stem <= before || stem >= request.model_stems_size())
      return Bad("its stems are not the model's, or not in order");
    before = stem;
  }
  if (request.separation().residual() && request.computed_stems_size() < request.model_stems_size())
    return Bad("a residual needs all stems of the model");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckOpen(const internal::v1::OpenSeparationRequest& request) {
  const v1::Track& track = request.track();
  if (track.channels() < 1 || track.channels() > 2) return Bad("stems have one or two channels");
  if (track.sample_rate_hz() <= 0 || request.model_rate_hz() <= 0) return Bad("a rate is missing");
  if (track.frames() <= 0) return Bad("the track has no frames");
  if (request.separation().shifts() < 0 || request.separation().shifts() > audio::kMaxShifts)
    return Bad("it has too many passes, or fewer than none");
  UNBRAID_RETURN_IF_ERROR(CheckStems(request));
  const auto geometry =
      audio::ChunkGeometry::Create(request.window_frames(), request.overlap_frames());
  return geometry.ok() ? absl::OkStatus() : Bad(geometry.status().message());
}

int64_t NeededBytes(const internal::v1::OpenSeparationRequest& request) {
  // What there is of the song comes before the joined stems.
  const double joined = JoinedBytes(request);
  return ToBytes(KeptSongBytes(request) + joined +
                 std::max(OutputBytes(request), request.separation().shifts() > 1 ? joined : 0));
}

int64_t StillNeededBytes(const Job& job) {
  if (job.chunks == 0) return NeededBytes(job.open);
  if (job.joined == job.chunks) return ToBytes(OutputBytes(job.open));
  // There is no plan without the song.
  return NeededBytes(job.open) -
         ToBytes(KeptSongBytes(job.open) + JoinedBytes(job.open) * JoinedFiles(job));
}

absl::Status CheckSpace(int64_t needed, int64_t promised, int64_t free, int64_t spare) {
  const double wanted =
      static_cast<double>(needed) + static_cast<double>(promised) + static_cast<double>(spare);
  if (wanted <= static_cast<double>(free)) return absl::OkStatus();
  const int64_t missing = ToBytes(wanted - static_cast<double>(free));
  return base::Error(
      absl::StatusCode::kResourceExhausted, "DISK_FULL",
      absl::StrCat("The assembler's disk lacks ", (missing >> kMebibyteShift) + 1,
                   " MiB for this separation, which takes ", needed >> kMebibyteShift,
                   " MiB. Delete old separations, or try again later."),
      {{"missing_bytes", absl::StrCat(missing)}});
}

}  // namespace unbraid::assembler
