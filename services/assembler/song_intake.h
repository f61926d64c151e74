#ifndef UNBRAID_SERVICES_ASSEMBLER_SONG_INTAKE_H_
#define UNBRAID_SERVICES_ASSEMBLER_SONG_INTAKE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/store/files.h"
#include "unbraid/internal/v1/assembler_service.pb.h"

namespace unbraid::assembler {

// Largest `samples` of one message.
inline constexpr int64_t kMaxSongPartBytes = 1 << 20;

// One song on its way into a temporary file of its own, part by part. Whoever takes the finished
// file renames it. Not thread-safe.
class SongIntake {
 public:
  struct Target {
    std::string path;  // the temporary one
    int64_t bytes = 0;
    int64_t frame_bytes = 0;
    std::shared_ptr<const std::atomic<bool>> cancelled;  // the separation has ended
  };

  static absl::StatusOr<std::unique_ptr<SongIntake>> Create(Target target);
  // Removes the file, unless it has been renamed.
  ~SongIntake();
  SongIntake(const SongIntake&) = delete;
  SongIntake& operator=(const SongIntake&) = delete;

  // Writes a part. ABORTED (STALE_ATTEMPT), DATA_LOSS (CHECKSUM_MISMATCH), INVALID_ARGUMENT
  // (INVALID_SONG), RESOURCE_EXHAUSTED (DISK_FULL).
  absl::Status Write(const internal::v1::PutSongRequest& part);

  // After the last part: INVALID_ARGUMENT (INVALID_SONG) unless it is whole; makes it durable.
  absl::Status Finish();

  const std::string& path() const { return target_.path; }

 private:
  SongIntake(Target target, store::File file)
      : target_(std::move(target)), file_(std::move(file)) {}

  absl::Status Check(const internal::v1::PutSongRequest& part) const;

  const Target target_;
  store::File file_;
  int64_t written_bytes_ = 0;
};

// INVALID_ARGUMENT (INVALID_SONG).
absl::Status InvalidSong(absl::string_view sentence);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_SONG_INTAKE_H_
