#ifndef UNBRAID_TESTS_COMPONENT_CLI_PREPARED_SIGNALS_H_
#define UNBRAID_TESTS_COMPONENT_CLI_PREPARED_SIGNALS_H_

#include "services/common/base/shutdown.h"

namespace unbraid::cli {

// The base of whatever has threads: they must not exist before the signals are out of their way.
struct PreparedSignals {
  PreparedSignals() { base::PrepareSignals(); }
};

}  // namespace unbraid::cli

#endif  // UNBRAID_TESTS_COMPONENT_CLI_PREPARED_SIGNALS_H_
