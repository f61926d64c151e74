#ifndef UNBRAID_CLIENTS_CLI_OPTIONS_H_
#define UNBRAID_CLIENTS_CLI_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/output_options.h"

namespace unbraid::cli {

enum class CommandKind {
  kSeparate,
  kUpload,
  kCreate,
  kWatch,
  kGet,
  kDownload,
  kCancel,
  kDelete,
  kList,
  kModels,
  kInfo,
};

// What the user typed, checked for form.
struct Options {
  // HOST:PORT of the gateway.
  std::string gateway = "127.0.0.1:50051";
  // One JSON object a line on standard output instead of text.
  bool json = false;
  // How long to go on trying when the gateway does not answer.
  absl::Duration patience = absl::Minutes(2);

  CommandKind command = CommandKind::kInfo;

  // separate, upload: the song's path.
  std::string file;
  // Samples that are no numbers count as silence instead of being refused.
  bool silence_non_finite = false;
  // separate, download: where results go; empty: a folder named after the song.
  std::string output_folder;
  // create: `tracks/ID`; watch, get, download, cancel, delete: a resource name; list: `tracks` or
  // `separations`.
  std::string name;

  // separate, create.
  std::string model;
  std::vector<std::string> stems;
  std::string mix;  // "vocals=0,drums=1.5"
  bool residual = false;
  int shifts = 0;  // 0: none
  int64_t shift_seed = 0;
  OutputOptions output;

  // separate, download: the stem that goes to standard output as it is computed; empty: none.
  std::string play_stem;
  bool raw = false;       // its samples alone, without a WAV header
  bool no_files = false;  // separate: only that
};

// Reads the command line. A value means: end the process with this status now (help was printed, or
// an error told).
std::optional<int> ParseOptions(int argc, char** argv, Options* options);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_OPTIONS_H_
