#include <cstdlib>

#include "clients/cli/run.h"
#include "services/common/base/shutdown.h"

int main(int argc, char** argv) {
  unbraid::base::PrepareSignals();
  // gRPC gets on with a connection while a call waits for it, and otherwise only this often (5 s by
  // default): between two tries no call waits, and a gateway that is back at once was found late.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "200", /*overwrite=*/0);
  return unbraid::cli::Run(argc, argv);
}
