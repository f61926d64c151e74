#include "services/common/base/shutdown.h"

#include <signal.h>

#include <catch2/catch.hpp>
#include <thread>

namespace unbraid::base {
namespace {

TEST_CASE("waits for the signal that asks the process to end") {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  PrepareSignals();
  std::thread other([] { RequestShutdown(); });
  CHECK(WaitForShutdownSignal() == SIGTERM);
  other.join();
  raise(SIGPIPE);  // ignored
  kill(getpid(), SIGINT);
  CHECK(WaitForShutdownSignal() == SIGINT);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace unbraid::base
