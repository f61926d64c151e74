#ifndef UNBRAID_SERVICES_SPLITTER_CONFIG_H_
#define UNBRAID_SERVICES_SPLITTER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/config/flags.h"
#include "services/common/model/catalogue.h"

namespace unbraid::splitter {

// What the splitter can be told. Every field is a flag; see README.md.
struct Config {
  config::CommonConfig common;
  config::BrokerConfig broker;

  // Where gRPC listens; port 0: any free port.
  std::string listen = "127.0.0.1:50052";

  // Folder for tracks, uploads in progress, spools and the two databases. It belongs to this
  // splitter alone.
  std::string data = "data/splitter";

  // Folder of model packages, and the package that is used when a request names none.
  std::string models = "build/models";
  std::string default_model = model::kDefaultModel;

  // HOST:PORT of the assembler.
  std::string assembler = "127.0.0.1:50053";

  // Under this name the assembler keeps the splitter's separations. It must stay the same over
  // restarts, or they are not found again.
  std::string name = "splitter-1";

  // Folder that workers and assembler share, on the same machine or a common volume: chunks'
  // samples are laid into it, and messages only name them. Empty: they travel in the messages.
  std::string object_folder;

  // Largest upload, in bytes, and longest track. More is refused with the limit named.
  int64_t max_upload_bytes = int64_t{4} << 30;
  absl::Duration max_duration = absl::Hours(4);

  // The program that decodes uploads, a child process without rights; empty: unbraid-decoder beside
  // this one. And how much memory it may use for one file, in bytes.
  std::string decoder;
  int64_t decoder_memory_bytes = int64_t{512} << 20;

  // New uploads and separations are refused, and spools wait, while the disk has less room than
  // this, in bytes; the splitter is not ready then.
  int64_t min_free_bytes = int64_t{256} << 20;

  // An upload that nobody has touched for so long is removed.
  absl::Duration upload_retention = absl::Hours(24);

  // A track that was not used for so long is deleted. 0: none is.
  absl::Duration track_retention = absl::Hours(7 * 24);

  // Bytes that the tracks and unfinished uploads of one owner may have together. 0: any.
  int64_t owner_quota_bytes = 0;

  // A separation of which nothing was heard for so long, while its queue is empty, is sent again.
  absl::Duration stall_after = absl::Seconds(60);

  // How long running calls and messages in flight may take at SIGTERM.
  absl::Duration grace = absl::Seconds(10);

  // INVALID_ARGUMENT names the flag that is wrong.
  absl::Status Validate() const;
};

// Reads flags, environment and file into `config`. A value means: end the process with it now.
std::optional<int> ParseFlags(int argc, char** argv, Config* config);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_CONFIG_H_
