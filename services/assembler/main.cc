#include <iostream>

#include "services/assembler/assembler_server.h"
#include "services/common/base/file_limit.h"
#include "services/common/base/memory.h"
#include "services/common/base/shutdown.h"
#include "services/common/telemetry/log.h"

int main(int argc, char** argv) {
  using namespace unbraid;  // NOLINT(google-build-using-namespace): a list of parts reads better
  base::KeepLargeBlocks();
  base::RaiseFileLimit();
  base::PrepareSignals();
  assembler::Config config;
  if (const std::optional<int> status = assembler::ParseConfig(argc, argv, &config)) return *status;
  telemetry::InitLogging(config.name, config.common.log_level);
  auto server = assembler::AssemblerServer::Create(config);
  if (!server.ok()) {
    std::cerr << "unbraid-assembler: " << server.status().message() << std::endl;
    return 1;
  }
  base::WaitForShutdownSignal();
  telemetry::Info("draining");
  (*server)->Drain();
  return 0;
}
