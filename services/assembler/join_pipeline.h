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
#include "services/common/audio/passes.h"

namespace unbraid::assembler {

// Joins the chunks of one separation, all stems in step, and appends to the joined files. What it
// appends depends on nothing but the chunks, so it can be cut off anywhere: it begins by cutting
// the files to what the record says is joined. Keeps no file open, since there may be many
// separations. Used by one thread.
//
// Of several passes, each has a file of its own: what the pass before it has there, plus its own
// samples, in float; the last one divides by the number of passes. So nothing that is written is
// ever changed, and the file of the pass before is needed until this one is complete and recorded.
class JoinPipeline {
 public:
  // Goes on after `job.joined` chunks; the files of the last joined chunk and of the pass before it
  // must still exist. DATA_LOSS when a joined file is shorter than the record says.
  static absl::StatusOr<std::unique_ptr<JoinPipeline>> Create(const Job& job,
                                                              const ChunkFiles& files);

  // Makes sure that chunks 0 .. `count` - 1 are joined, durably, with one sync for each stem. After
  // an error it can be called again: what a stem has taken already is not given to it twice. Holds
  // the new chunks of one stem in memory.
  absl::Status JoinUpTo(int64_t count);

 private:
  struct Stem {
    int pass;
    audio::Joiner joiner;    // of the pass
    int64_t written_frames;  // of the track, by the pass
  };

  JoinPipeline(const Job& job, const ChunkFiles& files)
      : passes_(job.passes()), channels_(job.channels()), files_(files) {}
  absl::Status Resume(int index, int64_t joined);
  // The chunk, of all passes, that the stem takes next.
  int64_t NextChunk(const Stem& stem) const;
  absl::Status BeginPass(int index);
  absl::Status JoinStem(int index, int64_t count);
  // Makes of the next frames of a pass what its file has there.
  absl::Status SumPasses(int index, std::vector<float>* samples) const;
  std::string PathOf(int index, int pass) const;
  int64_t Bytes(int64_t frames) const;

  const audio::Passes passes_;
  const int channels_;
  const ChunkFiles files_;
  std::vector<Stem> stems_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_
