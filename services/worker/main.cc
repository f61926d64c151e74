#include <cstdlib>

#include "services/common/base/shutdown.h"
#include "services/common/telemetry/log.h"
#include "services/worker/config.h"
#include "services/worker/torch/torch_separator.h"
#include "services/worker/worker.h"

int main(int argc, char** argv) {
  unbraid::base::PrepareSignals();
  unbraid::worker::Config config;
  if (const auto exit = unbraid::worker::ParseConfig(argc, argv, &config)) return *exit;
  unbraid::telemetry::InitLogging(config.name, config.common.log_level);

  auto worker = unbraid::worker::Worker::Start(
      config, [threads = config.threads](const unbraid::model::Package& package) {
        return unbraid::worker::TorchSeparator::Load(package, threads);
      });
  if (!worker.ok()) {
    unbraid::telemetry::Error("cannot start", {{"error", worker.status()}});
    return EXIT_FAILURE;
  }
  unbraid::base::WaitForShutdownSignal();
  return (*worker)->Stop();
}
