#ifndef UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_
#define UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/job.h"
#include "services/assembler/joined_tails.h"
#include "services/common/audio/joiner.h"
#include "services/common/audio/passes.h"
#include "services/common/store/files.h"

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
  // Goes on after `job.joined` chunks; the file of the pass before must still exist. Of what was
  // joined by a version that kept no tails, the files of the last joined chunk must. DATA_LOSS when
  // a joined file is shorter than the record says.
  static absl::StatusOr<std::unique_ptr<JoinPipeline>> Create(const Job& job,
                                                              const ChunkFiles& files);

  // Samples that are in memory and perhaps nowhere else, by chunk and computed stem.
  using Fresh = std::map<std::pair<int64_t, int>, absl::Span<const float>>;

  // Makes sure that chunks 0 .. `count` - 1 are joined, durably, of which the record knows the
  // first `recorded`: one sync for each stem, and one for the tails. What is not `fresh` is read
  // from its file. After an error it can be called again: what a stem has taken already is not
  // given to it twice. Holds the new chunks of one stem in memory.
  absl::Status JoinUpTo(int64_t recorded, int64_t count, const Fresh& fresh);

 private:
  struct Stem {
    int pass;
    audio::Joiner joiner;    // of the pass
    int64_t written_frames;  // of the track, by the pass
  };

  // What a stem has written, and what it is once that is synced.
  struct Step {
    int index;
    store::File file;
    Stem stem;
  };

  JoinPipeline(const Job& job, const ChunkFiles& files, JoinedTails tails)
      : passes_(job.passes()),
        computed_stems_(job.computed_stems()),
        channels_(job.channels()),
        files_(files),
        tails_(std::move(tails)) {}
  absl::Status ResumeAll(int64_t joined);
  absl::StatusOr<Stem> Resume(int index, int64_t joined,
                              const std::optional<JoinedTails::Samples>& tails) const;
  // The chunk, of all passes, that the stem takes next.
  int64_t NextChunk(const Stem& stem) const;
  absl::Status BeginPass(int index);
  // Up to `count`, but not beyond its pass.
  absl::StatusOr<Step> JoinStem(int index, int64_t count, const Fresh& fresh) const;
  absl::Status SaveTails(int64_t recorded, int64_t count);
  // Makes of the next frames of a pass what its file has there.
  absl::Status SumPasses(int index, std::vector<float>* samples) const;
  std::string PathOf(int index, int pass) const;
  int64_t Bytes(int64_t frames) const;

  const audio::Passes passes_;
  const int computed_stems_;
  const int channels_;
  const ChunkFiles files_;
  JoinedTails tails_;
  std::vector<Stem> stems_;
  bool torn_ = false;  // going back to what is recorded has begun, and not succeeded
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_JOIN_PIPELINE_H_
