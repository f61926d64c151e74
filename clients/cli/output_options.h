#ifndef UNBRAID_CLIENTS_CLI_OUTPUT_OPTIONS_H_
#define UNBRAID_CLIENTS_CLI_OUTPUT_OPTIONS_H_

#include <optional>
#include <string>

#include "unbraid/v1/separation.pb.h"

namespace CLI {
class App;
}

namespace unbraid::cli {

// How outputs are to be written, in the words of the command line. What fits together is for the
// server to say.
struct OutputOptions {
  std::string format = "wav";
  std::string sample_format = "source";
  std::string clip = "gain";
  std::string dither = "auto";
  std::optional<double> quality;
  int bitrate_kbps = 0;  // 0: not asked for
};

// Adds the options to a command, which refuses other words than those that there are.
void AddOutputOptions(CLI::App* command, OutputOptions* options);

v1::OutputFormat OutputFormatOf(const OutputOptions& options);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_OUTPUT_OPTIONS_H_
