#ifndef UNBRAID_CLIENTS_CLI_PCM_OUTPUT_H_
#define UNBRAID_CLIENTS_CLI_PCM_OUTPUT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "clients/cli/interrupt.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::cli {

// The header of a WAV file of 32-bit floats. The lengths in it are those of the whole stem, known
// before it is computed, so that a file that it was written into is as good as any; a stem that is
// too long for them gets 0xFFFFFFFF, which players take for "until the end".
std::string WavHeader(const v1::PcmFormat& pcm);

// Samples on their way into a descriptor, not owned: a file, or a pipe to a player that takes them
// as slowly as it plays. An interrupt ends the wait for it. Used by one thread.
class PcmOutput {
 public:
  PcmOutput(int descriptor, bool raw, const Interrupt* interrupt)
      : descriptor_(descriptor), raw_(raw), interrupt_(interrupt) {}

  // A WAV header, unless it is to be raw, goes out together with the first samples: sox tells a
  // format from its first read of a pipe.
  void Begin(const v1::PcmFormat& pcm);

  // Errors: CANCELLED (OUTPUT_CLOSED) when nobody reads any more, CANCELLED after an interrupt,
  // INVALID_ARGUMENT (OUTPUT_NOT_WRITABLE).
  absl::Status Write(absl::string_view samples);

 private:
  absl::Status WriteAll(absl::string_view bytes) const;
  absl::Status AwaitRoom() const;

  const int descriptor_;
  const bool raw_;
  const Interrupt* const interrupt_;
  std::string header_;  // until it is written
};

// Whoever read the samples has had enough, which is no failure.
bool IsOutputClosed(const absl::Status& status);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_PCM_OUTPUT_H_
