#include "services/gateway/config.h"

#include "services/common/base/host_port.h"
#include "services/common/base/status.h"

namespace unbraid::gateway {

absl::Status Config::Validate() const {
  if (models.empty())
    return absl::InvalidArgumentError("--models is missing: name the folder of model packages");
  if (max_upload_bytes < 1)
    return absl::InvalidArgumentError("--max-upload-bytes must be at least 1");
  if (max_separate_calls < 1)
    return absl::InvalidArgumentError("--max-separate-calls must be at least 1");
  if (unary_deadline <= absl::ZeroDuration())
    return absl::InvalidArgumentError("--unary-deadline must be more than 0");
  if (max_stream_age <= absl::ZeroDuration())
    return absl::InvalidArgumentError("--max-stream-age must be more than 0");
  for (const std::string* address : {&listen, &splitter, &assembler}) {
    UNBRAID_RETURN_IF_ERROR(base::ParseHostPort(*address).status());
  }
  return absl::OkStatus();
}

std::optional<int> ParseConfig(int argc, char** argv, Config* config) {
  config::Flags flags("unbraid-gateway",
                      "The public API of Unbraid: checks, limits, and streams both ways.");
  flags.Add(&config->common);
  flags.Add("--listen", &config->listen,
            "HOST:PORT of the public gRPC server; port 0: any free one");
  flags.Add("--splitter", &config->splitter, "HOST:PORT of the splitter");
  flags.Add("--assembler", &config->assembler, "HOST:PORT of the assembler");
  flags.Add("--models", &config->models, "Folder of model packages");
  flags.Add("--default-model", &config->default_model,
            "Model that is shown as the default: the splitter's --default-model");
  flags.Add("--max-upload-bytes", &config->max_upload_bytes,
            "Largest file that is accepted, in bytes; the splitter has its own");
  flags.AddDuration("--unary-deadline", &config->unary_deadline, "Longest time of a unary call");
  flags.AddDuration("--max-stream-age", &config->max_stream_age,
                    "Age at which a stream that watches or follows is ended; clients call again");
  flags.Add("--max-separate-calls", &config->max_separate_calls,
            "Calls of Separate at the same time");
  flags.AddDuration("--grace", &config->grace, "How long streams may go on after SIGTERM");
  return flags.Parse(argc, argv);
}

}  // namespace unbraid::gateway
