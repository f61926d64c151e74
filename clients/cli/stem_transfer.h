#ifndef UNBRAID_CLIENTS_CLI_STEM_TRANSFER_H_
#define UNBRAID_CLIENTS_CLI_STEM_TRANSFER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "clients/cli/gateway_client.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::cli {

// Where the bytes of one stem go.
class StemSink {
 public:
  virtual ~StemSink() = default;

  // The next part, in order and undamaged; an error ends the transfer.
  virtual absl::Status Take(const v1::DownloadStemResponse& part) = 0;

  // How many bytes there will be; negative while nobody knows.
  virtual int64_t total_bytes() const = 0;

  // Called a few times per second, and at the end.
  virtual void Progress(int64_t received_bytes) = 0;
};

// Whether a result is wanted, or the samples while they are computed (DownloadStemRequest.follow).
enum class StemForm { kResult, kSamples };

// Gives a stem's bytes to the sink, from the first to the last one that the sink expects. Goes on
// where it was when the connection breaks. Errors: those of DownloadStem and of the sink.
absl::Status TransferStem(const std::string& name, StemForm form, GatewayClient* client,
                          StemSink* sink);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_STEM_TRANSFER_H_
