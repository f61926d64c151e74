#ifndef UNBRAID_SERVICES_GATEWAY_CONFIG_H_
#define UNBRAID_SERVICES_GATEWAY_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/config/flags.h"
#include "services/common/model/catalogue.h"

namespace unbraid::gateway {

struct Config {
  config::CommonConfig common;

  // HOST:PORT of the public gRPC server.
  std::string listen = "127.0.0.1:50051";

  // HOST:PORT of the services behind.
  std::string splitter = "127.0.0.1:50052";
  std::string assembler = "127.0.0.1:50053";

  // Folder of model packages, for ListModels.
  std::string models;
  std::string default_model = model::kDefaultModel;

  // Largest file that is passed on, in bytes. The splitter has a limit of its own; the smaller one
  // counts.
  int64_t max_upload_bytes = int64_t{4} << 30;

  // A unary call takes no longer than this, or than the client's own deadline.
  absl::Duration unary_deadline = absl::Seconds(20);

  // A stream of WatchSeparation, or of DownloadStem with `follow`, is ended with UNAVAILABLE at
  // this age; clients call again, and so spread anew over the gateways that there are.
  absl::Duration max_stream_age = absl::Hours(1);

  // Calls of Separate at the same time; each holds a thread. More are refused with OVERLOADED.
  int max_separate_calls = 64;
  // How long such a call may bring nothing while a song is uploaded.
  absl::Duration separate_patience = absl::Minutes(5);

  // How long streams may go on after SIGTERM.
  absl::Duration grace = absl::Seconds(10);

  absl::Status Validate() const;
};

// Reads flags, environment and file into `config`. A value means: end the process with this status.
std::optional<int> ParseConfig(int argc, char** argv, Config* config);

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_CONFIG_H_
