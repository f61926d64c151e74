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
  // The child inherits nothing else but standard error, until it has confined itself. `file` stays
  // the caller's. INTERNAL when it cannot be started.
  static absl::StatusOr<std::unique_ptr<DecoderProcess>> Start(
      const std::vector<std::string>& arguments, int file);
  ~DecoderProcess();
  // Takes over one that runs; `ended` is a pidfd of it, or none.
  DecoderProcess(pid_t pid, Descriptor ended, Descriptor pipe)
      : pid_(pid), ended_(std::move(ended)), pipe_(std::move(pipe)) {}
  DecoderProcess(const DecoderProcess&) = delete;
  DecoderProcess& operator=(const DecoderProcess&) = delete;

  // The end of the pipe that the child writes into. To be taken once.
  Descriptor TakePipe() { return std::move(pipe_); }

  struct End {
    int state = 0;            // as waitpid gives it
    bool killed = false;      // by WaitOrKill, and nobody else
    absl::Duration cpu_time;  // that it has used
  };

  // How it ended. One that does not end within `patience` is killed.
  End WaitOrKill(absl::Duration patience);

 private:
  pid_t pid_;               // -1 once it has ended
  const Descriptor ended_;  // readable once it has ended; none on an old kernel
  Descriptor pipe_;
};

// unbraid-decoder beside this program, where an installation has it.
std::string DefaultDecoderProgram();

// What the program can decode, by its own word (--containers): words of Track.container. INTERNAL
// when it cannot be run, or has not answered and ended within `patience`; it is killed then.
absl::StatusOr<std::vector<std::string>> AskForContainers(
    const std::string& program, absl::Duration patience = absl::Seconds(10));

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_DECODER_PROCESS_H_
