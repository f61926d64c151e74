#include "services/splitter/config.h"

#include "absl/strings/str_cat.h"
#include "services/common/base/host_port.h"
#include "services/common/base/status.h"

namespace unbraid::splitter {
namespace {

// With less, even small files with a large picture fail.
constexpr int64_t kLeastDecoderMemory = int64_t{64} << 20;

absl::Status Require(bool condition, absl::string_view sentence) {
  return condition ? absl::OkStatus() : absl::InvalidArgumentError(sentence);
}

absl::Status RequireAddress(absl::string_view flag, const std::string& text) {
  return base::Annotate(base::ParseHostPort(text).status(), flag);
}

}  // namespace

absl::Status Config::Validate() const {
  UNBRAID_RETURN_IF_ERROR(RequireAddress("--listen", listen));
  UNBRAID_RETURN_IF_ERROR(RequireAddress("--assembler", assembler));
  UNBRAID_RETURN_IF_ERROR(RequireAddress("--amqp", broker.address));
  UNBRAID_RETURN_IF_ERROR(Require(!data.empty(), "--data must name a folder"));
  UNBRAID_RETURN_IF_ERROR(Require(!models.empty(), "--models must name a folder"));
  UNBRAID_RETURN_IF_ERROR(Require(!name.empty(), "--name must not be empty"));
  UNBRAID_RETURN_IF_ERROR(Require(max_upload_bytes > 0, "--max-upload-bytes must be positive"));
  UNBRAID_RETURN_IF_ERROR(
      Require(max_duration > absl::ZeroDuration(), "--max-duration must be positive"));
  UNBRAID_RETURN_IF_ERROR(Require(decoder_memory_bytes >= kLeastDecoderMemory,
                                  "--decoder-memory-bytes must be at least 64 MiB"));
  UNBRAID_RETURN_IF_ERROR(Require(min_free_bytes >= 0, "--min-free-bytes must not be negative"));
  UNBRAID_RETURN_IF_ERROR(
      Require(owner_quota_bytes >= 0, "--owner-quota-bytes must not be negative"));
  UNBRAID_RETURN_IF_ERROR(
      Require(upload_retention > absl::ZeroDuration(), "--upload-retention must be positive"));
  return Require(stall_after > absl::ZeroDuration(), "--stall-after must be positive");
}

std::optional<int> ParseFlags(int argc, char** argv, Config* config) {
  config::Flags flags("unbraid-splitter", "Keeps tracks, cuts them, and gives out the chunks");
  flags.Add(&config->common);
  flags.Add(&config->broker);
  flags.Add("--listen", &config->listen, "HOST:PORT for gRPC; port 0: any free port");
  flags.Add("--data", &config->data, "Folder for tracks, spools and databases");
  flags.Add("--models", &config->models, "Folder of model packages");
  flags.Add("--default-model", &config->default_model,
            "Model when a request names none; not in the folder: the first by name");
  flags.Add("--assembler", &config->assembler, "HOST:PORT of the assembler");
  flags.Add("--name", &config->name, "Name of this splitter; keep it over restarts");
  flags.Add("--object-folder", &config->object_folder,
            "Folder, shared with workers and assembler, that chunks' audio is laid into; empty: it "
            "travels in messages");
  flags.Add("--max-upload-bytes", &config->max_upload_bytes,
            "Largest upload in bytes; the gateway has its own");
  flags.AddDuration("--max-duration", &config->max_duration, "Longest track");
  flags.Add("--decoder", &config->decoder,
            "Program that decodes uploads; unbraid-decoder beside this one if empty");
  flags.Add("--decoder-memory-bytes", &config->decoder_memory_bytes,
            "Memory that decoding one file may take");
  flags.Add("--min-free-bytes", &config->min_free_bytes, "Room that must stay free on the disk");
  flags.AddDuration("--upload-retention", &config->upload_retention,
                    "Age at which an unfinished upload is removed");
  flags.AddDuration("--track-retention", &config->track_retention,
                    "Time after its last use at which a track is deleted; 0: never");
  flags.Add("--owner-quota-bytes", &config->owner_quota_bytes,
            "Bytes of tracks and uploads that one owner (today: all clients) may have; 0: any");
  flags.AddDuration("--stall-after", &config->stall_after,
                    "Silence after which lost chunks are sent again");
  flags.AddDuration("--grace", &config->grace, "Time to finish what is in flight at SIGTERM");
  return flags.Parse(argc, argv);
}

}  // namespace unbraid::splitter
