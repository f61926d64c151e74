#ifndef UNBRAID_SERVICES_COMMON_BASE_SHUTDOWN_H_
#define UNBRAID_SERVICES_COMMON_BASE_SHUTDOWN_H_

namespace unbraid::base {

// Takes SIGTERM and SIGINT out of the way of every thread and ignores SIGPIPE. Call it first in
// main(), before any thread exists.
void PrepareSignals();

// Waits until the process is asked to end; returns the signal's number.
int WaitForShutdownSignal();

// Asks this process to end, as SIGTERM does: for a part that finds that it cannot go on.
void RequestShutdown();

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_SHUTDOWN_H_
