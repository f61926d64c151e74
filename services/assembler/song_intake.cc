#include "services/assembler/song_intake.h"

#include "absl/strings/str_cat.h"
#include "services/assembler/job.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {
namespace {

constexpr int kMebibyteShift = 20;

// The disk's own words name a file, which says nothing to people.
absl::Status Explain(const absl::Status& status, int64_t bytes) {
  if (base::ReasonOf(status) != "DISK_FULL") return status;
  return base::Error(
      absl::StatusCode::kResourceExhausted, "DISK_FULL",
      absl::StrCat("The assembler's disk has no room for the song itself, ",
                   (bytes >> kMebibyteShift) + 1, " MiB. Delete old separations, or wait."));
}

}  // namespace

absl::Status InvalidSong(absl::string_view sentence) {
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_SONG", sentence);
}

absl::StatusOr<std::unique_ptr<SongIntake>> SongIntake::Create(Target target) {
  absl::StatusOr<store::File> file =
      store::File::Open(target.path, store::File::Mode::kCreateEmpty);
  if (!file.ok()) return Explain(file.status(), target.bytes);
  return std::unique_ptr<SongIntake>(new SongIntake(std::move(target), *std::move(file)));
}

SongIntake::~SongIntake() {
  // Should this fail, it goes with the separation's other work files.
  (void)store::RemoveAll(target_.path);
}

absl::Status SongIntake::Check(const internal::v1::PutSongRequest& part) const {
  if (*target_.cancelled) return StaleAttempt();
  const auto bytes = static_cast<int64_t>(part.samples().size());
  if (bytes > kMaxSongPartBytes || bytes % target_.frame_bytes != 0) {
    return InvalidSong(absl::StrCat("A part of the song has ", bytes,
                                    " bytes; it must be whole frames of at most ",
                                    kMaxSongPartBytes, " bytes."));
  }
  if (part.crc32c() != base::Crc32c(part.samples())) {
    return base::Error(absl::StatusCode::kDataLoss, "CHECKSUM_MISMATCH",
                       absl::StrCat("The part of the song at byte ", written_bytes_,
                                    " arrived damaged; send the song again."));
  }
  if (written_bytes_ + bytes > target_.bytes) {
    return InvalidSong(absl::StrCat("The song is longer than the track's ",
                                    target_.bytes / target_.frame_bytes, " frames."));
  }
  return absl::OkStatus();
}

absl::Status SongIntake::Write(const internal::v1::PutSongRequest& part) {
  UNBRAID_RETURN_IF_ERROR(Check(part));
  const absl::Status written = file_.WriteAt(written_bytes_, part.samples());
  if (!written.ok()) return Explain(written, target_.bytes);
  written_bytes_ += static_cast<int64_t>(part.samples().size());
  return absl::OkStatus();
}

absl::Status SongIntake::Finish() {
  if (*target_.cancelled) return StaleAttempt();
  if (written_bytes_ != target_.bytes) {
    return InvalidSong(absl::StrCat("The song ended after ", written_bytes_ / target_.frame_bytes,
                                    " frames; the track has ", target_.bytes / target_.frame_bytes,
                                    "."));
  }
  UNBRAID_RETURN_IF_ERROR(Explain(file_.Sync(), target_.bytes));
  return Explain(file_.Close(), target_.bytes);
}

}  // namespace unbraid::assembler
