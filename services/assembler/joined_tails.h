#ifndef UNBRAID_SERVICES_ASSEMBLER_JOINED_TAILS_H_
#define UNBRAID_SERVICES_ASSEMBLER_JOINED_TAILS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/assembler/chunk_files.h"

namespace unbraid::assembler {

// What the last joined chunk shares with the next one, of every stem, so that joining can go on
// after a restart without the chunk itself. Kept in two files by turns: the one that the record
// counts on is never written to. Each begins with the number of joined chunks that it belongs to.
// Used by one thread.
class JoinedTails {
 public:
  // Interleaved samples, by computed stem; all of one length.
  using Samples = std::vector<std::vector<float>>;

  // Creates the files where they are missing; their names are durable once the folder of the
  // joined files is synced.
  static absl::StatusOr<JoinedTails> Open(const ChunkFiles& files);

  // Those of `count` joined chunks; nullopt when they were never kept. DATA_LOSS when they are not
  // those of so many stems.
  absl::StatusOr<std::optional<Samples>> Load(int64_t count, int stems) const;

  // Keeps those of `count` joined chunks, durably, beside those of `recorded`. One sync.
  absl::Status Save(int64_t recorded, int64_t count,
                    absl::Span<const absl::Span<const float>> tails);

 private:
  explicit JoinedTails(const ChunkFiles& files) : files_(files) {}

  const ChunkFiles files_;
  std::array<int64_t, 2> counts_ = {-1, -1};  // whose tails each file has; -1: nobody's
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_JOINED_TAILS_H_
