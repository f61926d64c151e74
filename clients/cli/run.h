#ifndef UNBRAID_CLIENTS_CLI_RUN_H_
#define UNBRAID_CLIENTS_CLI_RUN_H_

namespace unbraid::cli {

// The whole command: reads the command line, does what it says, returns the exit status (see
// ExitCode).
int Run(int argc, char** argv);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_RUN_H_
