#ifndef UNBRAID_CLIENTS_CLI_FOLLOW_H_
#define UNBRAID_CLIENTS_CLI_FOLLOW_H_

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "clients/cli/gateway_client.h"
#include "clients/cli/options.h"
#include "clients/cli/pcm_output.h"
#include "clients/cli/reporter.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::cli {

// INVALID_ARGUMENT (UNKNOWN_STEM) for what cannot be followed.
absl::Status CheckFollowable(const v1::Separation& separation, const std::string& stem);

// Writes a stem's samples to `output` as they are computed, to the last one of the track. Goes on
// where it was when the connection breaks. Errors: those of DownloadStem and of PcmOutput.
absl::Status FollowStem(const std::string& name, GatewayClient* client, PcmOutput* output,
                        const std::function<void(int64_t received, int64_t total)>& progress);

// FollowStem to standard output, with its progress. OK also when nobody reads any more.
absl::Status PlayStem(const Options& options, const std::string& separation, GatewayClient* client,
                      Reporter* reporter);

// PlayStem on a thread of its own, without its progress; a line to the gateway of its own as well.
class BackgroundPlay {
 public:
  BackgroundPlay(const Options& options, std::string separation, Interrupt* interrupt);
  // Waits for the end.
  ~BackgroundPlay();
  BackgroundPlay(const BackgroundPlay&) = delete;
  BackgroundPlay& operator=(const BackgroundPlay&) = delete;

  // Waits for the end and says how it was.
  absl::Status Join();

 private:
  absl::Status status_;  // of the thread, until it has ended
  std::thread thread_;
};

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_FOLLOW_H_
