#ifndef UNBRAID_SERVICES_ASSEMBLER_CHUNK_FILES_H_
#define UNBRAID_SERVICES_ASSEMBLER_CHUNK_FILES_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/common/base/ids.h"

namespace unbraid::assembler {

// Where the files of one attempt at a separation lie:
//   <data>/separations/<id>/<attempt>/
//     chunks/<chunk>.<stem>   the kept frames of one stem
//     joined/<stem>           the joined beginning, at the model's rate
//     joined/tails.<0 or 1>   see JoinedTails
//     joined/<stem>.<pass>    where there are several passes: the sum of those up to this one
//     incoming/<stream>       the song on its way, where there is to be a residual
//     song                    the song itself, at the track's rate
//     out/<name>.<extension>  the results
// All but the results are interleaved float32, and <stem> counts the computed stems.
class ChunkFiles {
 public:
  ChunkFiles(const std::string& data_folder, base::SeparationId id, int attempt);

  absl::Status MakeFolders() const;

  // For the song of a stream; whoever writes there makes the folder first.
  absl::Status MakeIncomingFolder() const;
  std::string IncomingPath(int64_t stream) const;
  absl::Status RemoveIncoming() const;
  std::string SongPath() const;

  std::string JoinedPath(int stem) const;
  // Of all passes but the last, whose file is the joined one.
  std::string PassPath(int pass, int stem) const;
  std::string TailsPath(int slot) const;
  std::string OutputPath(const std::string& name, const std::string& extension) const;
  // Of the results as far as they are written.
  int64_t OutputBytes() const;

  // One stem of a chunk, in memory.
  struct ChunkPart {
    int64_t chunk;
    int stem;
    absl::Span<const float> samples;
  };
  // Writes them durably, each whole or not at all, with one sync of their folder. After an error
  // some may be there.
  absl::Status WriteChunks(absl::Span<const ChunkPart> parts) const;
  absl::StatusOr<std::vector<float>> ReadChunk(int64_t chunk, int stem) const;
  absl::Status RemoveChunk(int64_t chunk, int stem) const;

  absl::Status RemovePass(int pass, int stem) const;

  // Makes the joined files' names survive a power cut.
  absl::Status SyncJoinedFolder() const;

  // Everything but the results.
  absl::Status RemoveWork() const;
  absl::Status RemoveEverything() const;

  const std::string& folder() const { return folder_; }

 private:
  std::string ChunkPath(int64_t chunk, int stem) const;

  std::string folder_;
};

// The folder of all separations.
std::string SeparationsFolder(const std::string& data_folder);

// Removes the files of every attempt.
absl::Status RemoveSeparationFiles(const std::string& data_folder, base::SeparationId id);

// Removes what a crash left behind: all but the attempts that are told, of these all but the
// results unless the separation is `active`, and of those the files that are half-written.
absl::Status RemoveLeftovers(const std::string& data_folder,
                             const std::map<base::SeparationId, int>& attempts,
                             const std::set<base::SeparationId>& active);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_CHUNK_FILES_H_
