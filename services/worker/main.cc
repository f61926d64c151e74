#include <cstdlib>
#include <memory>

#include "absl/status/statusor.h"
#include "services/common/base/shutdown.h"
#include "services/common/base/status.h"
#include "services/common/telemetry/log.h"
#include "services/worker/config.h"
#include "services/worker/torch/torch_device.h"
#include "services/worker/worker.h"

namespace {

absl::StatusOr<std::unique_ptr<unbraid::worker::Worker>> Start(
    const unbraid::worker::Config& config) {
  UNBRAID_ASSIGN_OR_RETURN(const auto name, unbraid::worker::ParseDevice(config.device));
  UNBRAID_ASSIGN_OR_RETURN(const auto precision, unbraid::worker::ParsePrecision(config.precision));
  UNBRAID_ASSIGN_OR_RETURN(const auto device,
                           unbraid::worker::OpenDevice(name, config.threads, precision));
  return unbraid::worker::Worker::Start(config, device);
}

}  // namespace

int main(int argc, char** argv) {
  unbraid::base::PrepareSignals();
  unbraid::worker::Config config;
  if (const auto exit = unbraid::worker::ParseConfig(argc, argv, &config)) return *exit;
  unbraid::telemetry::InitLogging(config.name, config.common.log_level);

  auto worker = Start(config);
  if (!worker.ok()) {
    unbraid::telemetry::Error("cannot start", {{"error", worker.status()}});
    return EXIT_FAILURE;
  }
  unbraid::base::WaitForShutdownSignal();
  return (*worker)->Stop();
}
