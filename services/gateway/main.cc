#include <iostream>

#include "services/common/base/file_limit.h"
#include "services/common/base/shutdown.h"
#include "services/common/telemetry/log.h"
#include "services/gateway/gateway_server.h"

int main(int argc, char** argv) {
  using namespace unbraid;  // NOLINT(google-build-using-namespace): a list of parts reads better
  base::RaiseFileLimit();
  base::PrepareSignals();
  gateway::Config config;
  if (const std::optional<int> status = gateway::ParseConfig(argc, argv, &config)) return *status;
  telemetry::InitLogging("gateway", config.common.log_level);
  auto server = gateway::GatewayServer::Create(config);
  if (!server.ok()) {
    std::cerr << "unbraid-gateway: " << server.status().message() << std::endl;
    return 1;
  }
  base::WaitForShutdownSignal();
  telemetry::Info("draining");
  (*server)->Drain();
  return 0;
}
