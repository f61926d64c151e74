#ifndef UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_
#define UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/job.h"
#include "services/common/audio/joiner.h"

namespace unbraid::assembler {

// Joins the chunks of one separation, all stems in step, and appends to the joined files. What it
// appends depends on nothing but the chunks, so it can be cut off anywhere: it begins by cutting
// the files to what the record says is joined. Keeps no file open, since there may be many
// separations. Used by one thread.
class JoinPipeline {
 public:
  // Goes on after `job.joined` chunks; the files of the last joined chunk must still exist.
  // DATA_LOSS when a joined file is shorter than the record says.
  static absl::StatusOr<std::unique_ptr<JoinPipeline>> Create(const Job& job,
                                                              const ChunkFiles& files);

  // Makes sure that chunks 0 .. `count` - 1 are joined, durably, with one sync for each stem. After
  // an error it can be called again: what a stem has taken already is not given to it twice. Holds
  // the new chunks of one stem in memory.
  absl::Status JoinUpTo(int64_t count);

 private:
  struct Stem {
    std::string path;
    audio::Joiner joiner;
    int64_t written_bytes;
  };

  explicit JoinPipeline(const ChunkFiles& files) : files_(files) {}
  absl::Status JoinStem(int index, int64_t count);

  const ChunkFiles files_;
  std::vector<Stem> stems_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_
