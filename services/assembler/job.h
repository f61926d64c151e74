#ifndef UNBRAID_SERVICES_ASSEMBLER_JOB_H_
#define UNBRAID_SERVICES_ASSEMBLER_JOB_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/audio/format.h"
#include "services/common/audio/passes.h"
#include "services/common/base/ids.h"
#include "unbraid/internal/v1/assembler_service.pb.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::assembler {

// What is known of one chunk.
struct ChunkRecord {
  uint32_t stems_done = 0;  // bit i: the i-th of the computed stems is safely stored
  int tries = 1;
  int64_t bytes = 0;
  double compute_seconds = 0;
  std::string worker;
};

// Everything about a separation. Plain data; the store keeps it, the engine changes it.
struct Job {
  base::SeparationId id;
  std::string owner;
  internal::v1::OpenSeparationRequest open;
  // The public face: state, progress, outputs, failure, times, attempt, version.
  v1::Separation separation;
  int64_t model_frames = 0;  // 0: no plan yet
  int64_t chunks = 0;
  int64_t joined = 0;  // chunks 0 .. joined - 1 are in the joined files, of all passes
  std::vector<ChunkRecord> chunk_records;

  // When it was last used after its end: a result was asked for, or the same was created again.
  absl::Time used = absl::UnixEpoch();

  // Not stored: for the estimates of progress.
  absl::Time working_since = absl::InfiniteFuture();
  int64_t done_before = 0;  // chunks that were done when this process began to work on it

  int attempt() const { return separation.attempt(); }
  bool ended() const;
  int computed_stems() const { return open.computed_stems_size(); }
  int channels() const { return open.track().channels(); }
  int64_t stride() const { return open.window_frames() - open.overlap_frames(); }
  // Of the song itself, at the track's rate and in its channels, as floats.
  int64_t song_bytes() const {
    return open.track().frames() * channels() * static_cast<int64_t>(sizeof(float));
  }
  // How the track is cut. Requires a plan.
  audio::Passes passes() const;
  // How many frames a chunk yields.
  int64_t UsefulFrames(int64_t chunk) const;
  // Whether a computed stem of a chunk is safely stored or joined.
  bool StemDone(int64_t chunk, int position) const;
  bool ChunkDone(int64_t chunk) const;
  // There is a chunk to join, and it is complete.
  bool NextIsDone() const { return joined < chunks && ChunkDone(joined); }
  int64_t ChunksDone() const;
  // Frames in the joined files of the result, at the model's rate.
  int64_t JoinedFrames() const;
  // Position of a model stem among the computed ones, or -1.
  int ComputedPosition(int model_stem) const;
  // "chunk 12 (0:55.0 to 1:00.9)", or "chunk 12 (pass 2 of 3, 0:04.8 to 0:10.7)": for people.
  std::string DescribeChunk(int64_t chunk) const;
  audio::OutputFormat output_format() const;
};

// NOT_FOUND (UNKNOWN_SEPARATION).
absl::Status UnknownSeparation(base::SeparationId id);

// ABORTED (STALE_ATTEMPT).
absl::Status StaleAttempt();

bool IsTerminal(v1::Separation::State state);

// Says when a separation that has ended goes by itself, or that it does not. `retention` infinite:
// never.
void SetExpireTime(absl::Time used, absl::Duration retention, v1::Separation* separation);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_JOB_H_
