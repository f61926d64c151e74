#ifndef UNBRAID_SERVICES_SPLITTER_SPOOLS_H_
#define UNBRAID_SERVICES_SPLITTER_SPOOLS_H_

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "services/common/base/ids.h"
#include "services/splitter/job.h"

namespace unbraid::splitter {

// Bytes that the prepared audio of a separation takes: the spool, and the song if it has a file of
// its own.
int64_t SpoolBytes(const internal::v1::OpenSeparationRequest& open);

// The folder `spools`: the prepared audio of each separation that is being given out, as
// interleaved float32 at the model's rate, and, where a residual is wanted, the song at its own
// rate beside it. A file is complete once it has its name: it is written under another and renamed.
// Thread-safe, as it holds no state.
class Spools {
 public:
  // Creates the folder.
  static absl::StatusOr<Spools> Create(const std::string& folder);

  std::string PathOf(base::SeparationId id) const;

  // The song at its own rate. Where that is the model's rate it is the spool itself: resampling
  // copies then.
  std::string SongPathOf(const Job& job) const;

  // Whether all files of a prepared job are there in full.
  bool IsComplete(const Job& job) const;

  absl::Status Remove(base::SeparationId id) const;

  // Bytes of files that are being written.
  absl::StatusOr<int64_t> UnfinishedBytes() const;

  // Removes everything that is not a finished file of one of these.
  absl::Status RemoveAllBut(const std::set<base::SeparationId>& ids) const;

 private:
  explicit Spools(std::string folder) : folder_(std::move(folder)) {}

  std::string OwnSongPath(base::SeparationId id) const;

  std::string folder_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_SPOOLS_H_
