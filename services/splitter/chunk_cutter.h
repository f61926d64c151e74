#ifndef UNBRAID_SERVICES_SPLITTER_CHUNK_CUTTER_H_
#define UNBRAID_SERVICES_SPLITTER_CHUNK_CUTTER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "services/splitter/job.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::splitter {

// Chunks of a prepared job, by the cutting rule, of all passes.
absl::StatusOr<int64_t> ChunkCount(const Job& job);

// How many chunks, from the first on, can be cut while the spool holds its first `frames` frames.
absl::StatusOr<int64_t> ReadyChunks(const Job& job, int64_t frames);

// Cuts one chunk out of the job's spool. Reads the window and nothing else. Pure but for the file.
// NOT_FOUND when the spool is gone, DATA_LOSS when it is shorter than it must be.
absl::StatusOr<internal::v1::ChunkTask> CutChunk(const Job& job, const std::string& spool_path,
                                                 int64_t chunk, int32_t try_number,
                                                 const std::string& assembler);

// `<separation>.<attempt>.<chunk>.<try>`
std::string ChunkMessageId(const internal::v1::ChunkTask& task);

// Where a chunk's audio lies in the track, for people: `from 0:05.000 to 0:10.944`.
absl::StatusOr<std::string> ChunkSpanText(const Job& job, int64_t chunk);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_CHUNK_CUTTER_H_
