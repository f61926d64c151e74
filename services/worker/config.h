#ifndef UNBRAID_SERVICES_WORKER_CONFIG_H_
#define UNBRAID_SERVICES_WORKER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/config/flags.h"

namespace unbraid::worker {

// What a worker can be told.
struct Config {
  config::CommonConfig common;
  config::BrokerConfig broker;

  // Folder of model packages. Required.
  std::string models;

  // Packages to serve; none: the catalogue's default. The first one is in memory at the beginning.
  std::vector<std::string> model_names;

  // Memory for models, in MB of 10^6 bytes, as the runtime counts it: the process itself comes on
  // top. 0: no limit, all models stay in memory. Otherwise a model is loaded when chunks for it
  // come, and the one that was not used for longest makes room.
  int64_t model_memory_mb = 0;

  // With a limit: how long the models in memory go on, while there are chunks for them, before one
  // that must be loaded has its turn.
  absl::Duration model_turn = absl::Seconds(30);

  // Threads within one inference; 0: as many as the control group's CPU limit and the CPU affinity
  // allow.
  int threads = 0;

  // Where models run: cpu, cuda (the first GPU that libtorch sees) or cuda:N.
  std::string device = "cpu";

  // What models are computed in: f32, or bf16, which is faster where the processor has it, and less
  // exact.
  std::string precision = "f32";

  // Chunks that are computed together at most. 0: 1 on the CPU, where more gain nothing, 8 on a
  // GPU. What does not fit into the device's memory is computed in smaller batches.
  int batch = 0;

  // How long a batch that is not full waits for more chunks.
  absl::Duration batch_wait = absl::Milliseconds(50);

  // The splitter's folder for samples beside messages. Empty: they come in the messages alone.
  std::string object_folder;

  // Name in logs, results and the broker's connections; empty: host name and process id.
  std::string name;

  // An inference, be it of a chunk or of a batch, that runs for longer is taken for hung: the
  // process ends, and the broker gives its chunks to another worker. Must stay below the 30 minutes
  // after which RabbitMQ does that itself.
  absl::Duration chunk_deadline = absl::Minutes(10);

  // How long a worker that is asked to end may go on with the chunks that it computes. Keep it
  // below what the supervisor waits before it kills (30 s by default in Kubernetes).
  absl::Duration grace = absl::Seconds(25);
};

// Reads flags, environment and file, fills in the defaults that depend on the machine, and checks.
// A value means: end the process with this exit status now.
std::optional<int> ParseConfig(int argc, char** argv, Config* config);

// INVALID_ARGUMENT names the flag and the rule.
absl::Status Validate(const Config& config);

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_CONFIG_H_
