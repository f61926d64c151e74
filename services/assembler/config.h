#ifndef UNBRAID_SERVICES_ASSEMBLER_CONFIG_H_
#define UNBRAID_SERVICES_ASSEMBLER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/assembler/space.h"
#include "services/common/config/flags.h"

namespace unbraid::assembler {

struct Config {
  config::CommonConfig common;
  config::BrokerConfig broker;

  // HOST:PORT of the gRPC server.
  std::string listen = "127.0.0.1:50053";

  // Folder of records, work and results. It must survive restarts.
  std::string data;

  // Name of this assembler, and of its results queue. Two assemblers never share one, and a restart
  // keeps it.
  std::string name = "assembler-1";

  // The splitter's folder for samples beside messages, where those of results lie too. Empty: they
  // come in the messages alone.
  std::string object_folder;

  // Separations whose results are written at the same time.
  int finishing_threads = 1;

  // With less room than this on the disk, in bytes, new separations are refused and the assembler
  // is not ready.
  int64_t min_free_bytes = kSpareBytes;

  // A separation that has ended, and was not used for so long, is deleted. 0: none is.
  absl::Duration separation_retention = absl::Hours(7 * 24);

  // How long calls may go on after SIGTERM.
  absl::Duration grace = absl::Seconds(10);

  absl::Status Validate() const;
};

// Reads flags, environment and file into `config`. A value means: end the process with this status.
std::optional<int> ParseConfig(int argc, char** argv, Config* config);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_CONFIG_H_
