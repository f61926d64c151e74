#include "clients/cli/run.h"
#include "services/common/base/shutdown.h"

int main(int argc, char** argv) {
  unbraid::base::PrepareSignals();
  return unbraid::cli::Run(argc, argv);
}
