#ifndef UNBRAID_SERVICES_ASSEMBLER_STEM_READER_H_
#define UNBRAID_SERVICES_ASSEMBLER_STEM_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/job.h"
#include "services/assembler/joined_stem.h"
#include "services/assembler/residual_reader.h"
#include "services/common/base/crew.h"

namespace unbraid::assembler {

// All that a separation can give out, block by block in step, at the track's rate. Reads the joined
// files of its computed stems, which may still grow, and the song for the residual. Not
// thread-safe.
class StemReader {
 public:
  // Of the joined files in one block, but for the last ones.
  static constexpr int64_t kBlockFrames = 65'536;

  // Interleaved frames of each computed stem, then of the mix, then of the residual if there is to
  // be one; all of the same length.
  using Block = std::vector<std::vector<float>>;

  // The job and the crew, which reads the stems side by side, must outlive it.
  static absl::StatusOr<StemReader> Open(const Job& job, const ChunkFiles& files, base::Crew* crew);

  // The next block, if it lies within the first `joined_frames` of the joined files; false if not,
  // and at the end. How many there are when it is read changes nothing in the blocks.
  // FAILED_PRECONDITION (OUTPUT_NOT_FINITE).
  absl::StatusOr<bool> Next(int64_t joined_frames, Block* block);

  // How much has been read, from 0 to 1.
  double share() const;

 private:
  StemReader(const Job& job, base::Crew* crew);

  // What a part of a block is called.
  std::string NameOf(size_t part) const;

  const Job& job_;
  base::Crew* const crew_;
  const JoinedShape shape_;
  std::vector<double> mix_gains_;
  std::vector<JoinedStem> stems_;
  std::optional<ResidualReader> residual_;
  int64_t position_ = 0;  // in the joined files
  int64_t given_ = 0;     // frames
  bool finished_ = false;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_STEM_READER_H_
