#ifndef UNBRAID_SERVICES_ASSEMBLER_STEM_READER_H_
#define UNBRAID_SERVICES_ASSEMBLER_STEM_READER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/job.h"
#include "services/assembler/joined_stem.h"
#include "services/assembler/residual_reader.h"

namespace unbraid::assembler {

// All that a separation can give out, block by block in step, at the track's rate. Reads the joined
// files of its computed stems, and the song for the residual. Not thread-safe.
class StemReader {
 public:
  // Interleaved frames of each computed stem, then of the mix, then of the residual if there is to
  // be one; all of the same length.
  using Block = std::vector<std::vector<float>>;

  // The job must outlive it.
  static absl::StatusOr<StemReader> Open(const Job& job, const ChunkFiles& files);

  // The next block; false at the end.
  absl::StatusOr<bool> Next(Block* block);

  // How much has been read, from 0 to 1.
  double share() const;

 private:
  explicit StemReader(const Job& job);

  const Job& job_;
  std::vector<double> mix_gains_;
  std::vector<JoinedStem> stems_;
  std::optional<ResidualReader> residual_;
  int64_t position_ = 0;
  bool finished_ = false;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_STEM_READER_H_
