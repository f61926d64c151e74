#include "services/worker/config.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/worker/cpu_limit.h"
#include "services/worker/device.h"
#include "services/worker/precision.h"

namespace unbraid::worker {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int64_t kMaxMemoryMb = 10'000'000;
constexpr int kMostBatch = 256;  // three of them are fetched ahead
constexpr int kGpuBatch = 8;
constexpr absl::Duration kMostBatchWait = absl::Seconds(10);
constexpr absl::Duration kBrokerPatience = absl::Minutes(30);

std::string DefaultName() {
  std::array<char, 256> host = {};
  if (gethostname(host.data(), host.size() - 1) != 0) return absl::StrCat("worker-", getpid());
  return absl::StrCat(host.data(), "-", getpid());
}

absl::Status ValidateBatches(const Config& config) {
  const absl::StatusOr<DeviceName> device = ParseDevice(config.device);
  if (!device.ok()) return device.status();
  UNBRAID_RETURN_IF_ERROR(ParsePrecision(config.precision).status());
  if (config.batch < 0 || config.batch > kMostBatch) {
    return absl::InvalidArgumentError(
        absl::StrCat("--batch must be 0 (by the device) to ", kMostBatch, " chunks"));
  }
  if (config.batch_wait < absl::ZeroDuration() || config.batch_wait > kMostBatchWait) {
    return absl::InvalidArgumentError(
        absl::StrCat("--batch-wait must be 0 to ", absl::FormatDuration(kMostBatchWait)));
  }
  return absl::OkStatus();
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
  if (config.model_memory_mb < 0 || config.model_memory_mb > kMaxMemoryMb) {
    return absl::InvalidArgumentError(
        absl::StrCat("--model-memory-mb must be 0 (no limit) to ", kMaxMemoryMb));
  }
  const auto models = static_cast<int64_t>(std::max<size_t>(config.model_names.size(), 1));
  if (config.model_turn < absl::ZeroDuration() || config.model_turn * models >= kBrokerPatience) {
    return absl::InvalidArgumentError(
        absl::StrCat("--model-turn must be 0 or more, and below ",
                     absl::FormatDuration(kBrokerPatience / models), " for ", models,
                     " models, or the broker takes a chunk away while it waits for its turn"));
  }
  UNBRAID_RETURN_IF_ERROR(ValidateBatches(config));
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
           "Package to serve; may be repeated; none: unbraid-4, or the first by name")
      ->default_str("");  // what is printed for an empty list would be read back as a name
  flags.Add("--model-memory-mb", &config->model_memory_mb,
            "Memory for models, in MB; 0: no limit, all stay loaded");
  flags.AddDuration("--model-turn", &config->model_turn,
                    "With a limit: time before a model that must be loaded has its turn");
  flags.Add("--threads", &config->threads, "Threads of one inference; 0: by the CPU limit");
  flags.Add("--device", &config->device, "Where models run: cpu, cuda or cuda:N");
  flags.Add("--precision", &config->precision, "What models are computed in: f32 or bf16");
  flags.Add("--batch", &config->batch, "Chunks computed together; 0: 1 on the CPU, 8 on a GPU");
  flags.AddDuration("--batch-wait", &config->batch_wait,
                    "How long a batch that is not full waits for more chunks");
  flags.Add("--object-folder", &config->object_folder,
            "The splitter's, where chunks' audio lies; empty: it comes in messages alone");
  flags.Add("--name", &config->name, "Name in logs, results and the broker's connections");
  flags.AddDuration("--chunk-deadline", &config->chunk_deadline,
                    "An inference that takes longer ends the process");
  flags.AddDuration("--grace", &config->grace, "Time to finish a chunk when asked to end");
  if (const std::optional<int> exit = flags.Parse(argc, argv)) return exit;
  const absl::Status valid = Validate(*config);
  if (!valid.ok()) {
    std::cerr << "unbraid-worker: " << valid.message() << "\n";
    return 2;
  }
  if (config->batch == 0) config->batch = ParseDevice(config->device)->cuda() ? kGpuBatch : 1;
  if (config->threads == 0) config->threads = ThreadsWithin(CgroupCpuLimit(""), SchedulableCpus());
  return std::nullopt;
}

}  // namespace unbraid::worker
