#ifndef UNBRAID_SERVICES_SPLITTER_SONG_SENDER_H_
#define UNBRAID_SERVICES_SPLITTER_SONG_SENDER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "services/common/base/ids.h"
#include "services/common/grpc/cancellation.h"
#include "unbraid/internal/v1/assembler_service.grpc.pb.h"

namespace unbraid::splitter {

// A song at its own rate, for one attempt at a separation.
struct SongFile {
  base::SeparationId id;
  int32_t attempt = 0;
  std::string path;  // interleaved float32
  int channels = 0;
};

// Sends it to the assembler in parts, no faster than they are taken; one part is in memory. An
// assembler that has the song already answers after the first part. Blocks: the deadline allows for
// 1 MiB a second, and `cancellation` ends it at any time. Errors: those of
// AssemblerService.PutSong, and those of reading the file.
absl::Status SendSong(internal::v1::AssemblerService::Stub* stub, const std::string& owner,
                      const SongFile& song, grpc_util::Cancellation* cancellation);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_SONG_SENDER_H_
