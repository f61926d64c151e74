#ifndef UNBRAID_SERVICES_COMMON_DECODE_DECODER_PROCESS_H_
#define UNBRAID_SERVICES_COMMON_DECODE_DECODER_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/decode/message_pipe.h"

namespace unbraid::decode {

// A running unbraid-decoder. It is killed when the object goes. Not thread-safe.
class DecoderProcess {
 public:
  // Starts `arguments` (the program first) with `file` as descriptor 3 and a pipe as descriptor 4.
  // The child inherits nothing else but standard error. `file` stays the caller's. INTERNAL when it
  // cannot be started.
  static absl::StatusOr<std::unique_ptr<DecoderProcess>> Start(
      const std::vector<std::string>& arguments, int file);
  ~DecoderProcess();
  DecoderProcess(const DecoderProcess&) = delete;
  DecoderProcess& operator=(const DecoderProcess&) = delete;

  // The end of the pipe that the child writes into. To be taken once.
  Descriptor TakePipe() { return std::move(pipe_); }

  // The state that it ended with, as waitpid gives it. One that does not end within `patience` is
  // killed.
  int WaitOrKill(absl::Duration patience);

 private:
  DecoderProcess(pid_t pid, Descriptor ended, Descriptor pipe)
      : pid_(pid), ended_(std::move(ended)), pipe_(std::move(pipe)) {}

  pid_t pid_;               // -1 once it has ended
  const Descriptor ended_;  // readable once it has ended; none on an old kernel
  Descriptor pipe_;
};

// unbraid-decoder beside this program, where an installation has it.
std::string DefaultDecoderProgram();

// What the program can decode, by its own word (--containers): words of Track.container. INTERNAL
// when it cannot be run.
absl::StatusOr<std::vector<std::string>> AskForContainers(const std::string& program);

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_DECODER_PROCESS_H_
