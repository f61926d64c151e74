#include "services/worker/config.h"

#include <unistd.h>

#include <array>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/worker/cpu_limit.h"

namespace unbraid::worker {
namespace {

constexpr int kMaxThreads = 1024;
constexpr absl::Duration kBrokerPatience = absl::Minutes(30);

std::string DefaultName() {
  std::array<char, 256> host = {};
  if (gethostname(host.data(), host.size() - 1) != 0) return absl::StrCat("worker-", getpid());
  return absl::StrCat(host.data(), "-", getpid());
}

}  // namespace

absl::Status Validate(const Config& config) {
  if (config.models.empty()) {
    return absl::InvalidArgumentError("--models is missing: name the folder of model packages");
  }
  if (config.threads < 0 || config.threads > kMaxThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("--threads must be 0 (by the CPU limit) to ", kMaxThreads));
  }
  if (config.chunk_deadline <= absl::ZeroDuration() || config.chunk_deadline >= kBrokerPatience) {
    return absl::InvalidArgumentError(absl::StrCat("--chunk-deadline must be above 0 and below ",
                                                   absl::FormatDuration(kBrokerPatience),
                                                   ", when the broker takes a chunk away"));
  }
  if (config.name.empty()) return absl::InvalidArgumentError("--name must not be empty");
  return absl::OkStatus();
}

std::optional<int> ParseConfig(int argc, char** argv, Config* config) {
  if (config->name.empty()) config->name = DefaultName();
  config::Flags flags("unbraid-worker",
                      "Computes chunks: takes them from the broker, runs the "
                      "model, and sends the stems back");
  flags.Add(&config->common);
  flags.Add(&config->broker);
  flags.Add("--models", &config->models, "Folder of model packages");
  flags
      .Add("--model", &config->model_names,
           "Package to serve; may be repeated; none: the catalogue's default")
      ->default_str("");  // what is printed for an empty list would be read back as a name
  flags.Add("--threads", &config->threads, "Threads of one inference; 0: by the CPU limit");
  flags.Add("--name", &config->name, "Name in logs, metrics and results");
  flags.AddDuration("--chunk-deadline", &config->chunk_deadline,
                    "An inference that takes longer ends the process");
  flags.AddDuration("--grace", &config->grace, "Time to finish a chunk when asked to end");
  if (const std::optional<int> exit = flags.Parse(argc, argv)) return exit;
  const absl::Status valid = Validate(*config);
  if (!valid.ok()) {
    std::cerr << "unbraid-worker: " << valid.message() << "\n";
    return 2;
  }
  if (config->threads == 0) config->threads = ThreadsWithin(CgroupCpuLimit(""), SchedulableCpus());
  return std::nullopt;
}

}  // namespace unbraid::worker
