#ifndef UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_
#define UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/job.h"
#include "services/common/audio/joiner.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {

// Joins the chunks of one separation, all stems in step, and appends to the joined files. What it
// appends depends on nothing but the chunks, so it can be cut off anywhere: it begins by cutting
// the files to what the record says is joined. Used by one thread.
class JoinPipeline {
 public:
  // Goes on after `job.joined` chunks; the files of the last joined chunk must still exist.
  static absl::StatusOr<std::unique_ptr<JoinPipeline>> Create(const Job& job,
                                                              const ChunkFiles& files);

  // Reads the next chunk's files, joins them, and makes the result durable.
  absl::Status JoinNext();

 private:
  struct Stem {
    store::File file;
    audio::Joiner joiner;
    int64_t written_bytes;
  };

  JoinPipeline(const ChunkFiles& files, int64_t next) : files_(files), next_(next) {}

  const ChunkFiles files_;
  int64_t next_;
  std::vector<Stem> stems_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_
