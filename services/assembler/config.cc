#include "services/assembler/config.h"

#include "services/common/base/host_port.h"
#include "services/common/base/status.h"
#include "services/common/store/object_folder.h"

namespace unbraid::assembler {

absl::Status Config::Validate() const {
  if (data.empty())
    return absl::InvalidArgumentError("--data is missing: name a folder for records and results");
  if (name.empty()) return absl::InvalidArgumentError("--name must not be empty");
  if (!object_folder.empty() && !store::ObjectFolder::IsWord(name)) {
    return absl::InvalidArgumentError(
        "with --object-folder, --name must be made of letters, digits, '-', '_' and '.', and not "
        "begin with '.': it names a folder in it");
  }
  if (finishing_threads < 1)
    return absl::InvalidArgumentError("--finishing-threads must be at least 1");
  if (min_free_bytes < 0)
    return absl::InvalidArgumentError("--min-free-bytes must not be negative");
  return base::ParseHostPort(listen).status();
}

std::optional<int> ParseConfig(int argc, char** argv, Config* config) {
  config::Flags flags("unbraid-assembler",
                      "Joins the results of the workers and keeps the separations.");
  flags.Add(&config->common);
  flags.Add(&config->broker);
  flags.Add("--listen", &config->listen, "HOST:PORT of the gRPC server; port 0: any free one");
  flags.Add("--data", &config->data, "Folder of records, work and results");
  flags.Add("--name", &config->name, "Name of this assembler and of its results queue");
  flags.Add("--object-folder", &config->object_folder,
            "The splitter's, where results' audio lies; empty: it comes in messages alone");
  flags.Add("--finishing-threads", &config->finishing_threads,
            "Separations finished at the same time");
  flags.Add("--min-free-bytes", &config->min_free_bytes, "Room that must stay free on the disk");
  flags.AddDuration("--separation-retention", &config->separation_retention,
                    "Time after its last use at which what has ended is deleted; 0: never");
  flags.AddDuration("--grace", &config->grace, "How long calls may go on after SIGTERM");
  return flags.Parse(argc, argv);
}

}  // namespace unbraid::assembler
