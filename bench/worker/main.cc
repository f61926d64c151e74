// unbraid-worker-bench: computes chunks of noise as a worker does, in batches of one size, for some
// seconds, and prints one line of JSON. From the task to its results: checks, channels, model,
// copies to the device and back, kept frames, checksums; no broker, no messages.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/worker/chunk_processor.h"
#include "services/worker/torch/torch_device.h"

namespace unbraid::worker {
namespace {

using internal::v1::ChunkTask;

struct Options {
  std::string model;
  std::string device = "cpu";
  int batch = 1;
  int threads = 1;
  double seconds = 10;
};

// What was measured.
struct Figures {
  int64_t chunks = 0;
  int64_t fitting_batch = 0;  // chunks of a batch, as far as memory does
  double seconds = 0;
};

ChunkTask MakeTask(const model::Package& package) {
  constexpr int kChannels = 2;
  ChunkTask task;
  task.set_assembler("bench");
  task.set_model(package.name);
  task.set_model_sha256(package.sha256);
  for (size_t stem = 0; stem < package.stems.size(); ++stem) {
    task.add_stem_indexes(static_cast<int32_t>(stem));
  }
  task.set_channels(kChannels);
  task.set_window_frames(package.window_frames);
  task.set_keep_frames(package.window_frames);
  task.set_scale(1);
  std::vector<float> samples(static_cast<size_t>(kChannels * package.window_frames));
  uint32_t state = 1;
  for (float& sample : samples) {
    state = state * 1664525U + 1013904223U;
    sample = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-33F;
  }
  task.set_samples(samples.data(), samples.size() * sizeof(float));
  task.set_samples_crc32c(base::Crc32c(task.samples()));
  return task;
}

absl::Status EndOne(ChunkProcessor* processor) {
  UNBRAID_ASSIGN_OR_RETURN(const auto all, processor->End());
  for (const ChunkProcessor::Results& results : all) {
    if (!results.front().has_failure()) continue;
    return absl::InternalError(results.front().failure().message());
  }
  return absl::OkStatus();
}

// Keeps the device as busy as a worker with chunks enough does, until the time is up.
absl::StatusOr<Figures> Stream(const std::vector<ChunkTask>& tasks, double seconds,
                               ChunkProcessor* processor) {
  Figures figures;
  const absl::Time begin = absl::Now();
  const absl::Time end = begin + absl::Seconds(seconds);
  std::deque<size_t> begun;  // chunks of each batch
  while (absl::Now() < end || !begun.empty()) {
    if (absl::Now() < end && begun.size() < static_cast<size_t>(processor->depth())) {
      const auto size = std::min(tasks.size(), static_cast<size_t>(processor->chunks()));
      processor->Begin(absl::MakeConstSpan(tasks).subspan(0, size));
      begun.push_back(size);
      if (begun.size() < static_cast<size_t>(processor->depth())) continue;
    }
    UNBRAID_RETURN_IF_ERROR(EndOne(processor));
    figures.chunks += static_cast<int64_t>(begun.front());
    begun.pop_front();
  }
  figures.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  figures.fitting_batch = processor->chunks();
  return figures;
}

// Most memory that this process has held: of the GPU, or of the host.
int64_t PeakBytes(const DeviceName& device) {
  if (device.cuda()) return PeakGpuBytes(device);
  std::ifstream status("/proc/self/status");
  std::string word;
  int64_t kilobytes = 0;
  while (status >> word) {
    if (word == "VmHWM:") status >> kilobytes;
  }
  return kilobytes * 1024;
}

absl::Status Run(const Options& options) {
  UNBRAID_ASSIGN_OR_RETURN(const model::Package package, model::LoadPackage(options.model));
  UNBRAID_ASSIGN_OR_RETURN(const DeviceName name, ParseDevice(options.device));
  UNBRAID_ASSIGN_OR_RETURN(const Device device, OpenDevice(name, options.threads));
  UNBRAID_ASSIGN_OR_RETURN(std::unique_ptr<Executor> executor, device.load(package));
  Pipeline pipeline(std::move(executor), options.batch * MostWindowsOfChunk(package),
                    [](const absl::Status&, int) {});
  UNBRAID_RETURN_IF_ERROR(pipeline.WarmUp());
  UNBRAID_ASSIGN_OR_RETURN(ChunkProcessor processor,
                           ChunkProcessor::Create("bench", &package, &pipeline));
  const std::vector<ChunkTask> tasks(static_cast<size_t>(options.batch), MakeTask(package));
  UNBRAID_RETURN_IF_ERROR(Stream(tasks, 0.1, &processor).status());  // both slots, once
  UNBRAID_ASSIGN_OR_RETURN(const Figures figures, Stream(tasks, options.seconds, &processor));
  const auto new_frames = static_cast<double>(package.window_frames - package.overlap_frames);
  const nlohmann::json line = {
      {"device", name.ToString()},
      {"title", device.title},
      {"batch", options.batch},
      {"batch_that_fits", figures.fitting_batch},
      {"chunks", figures.chunks},
      {"seconds", figures.seconds},
      {"chunk_seconds", new_frames / package.sample_rate_hz},
      {"peak_bytes", PeakBytes(name)},
  };
  std::cout << line.dump() << "\n";
  return absl::OkStatus();
}

}  // namespace
}  // namespace unbraid::worker

int main(int argc, char** argv) {
  unbraid::worker::Options options;
  CLI::App app("Measures the worker's way of a chunk without a broker.", "unbraid-worker-bench");
  app.add_option("--model", options.model, "Folder of a model package")->required();
  app.add_option("--device", options.device, "cpu, cuda or cuda:N")->capture_default_str();
  app.add_option("--batch", options.batch, "Chunks of a batch")->check(CLI::Range(1, 256));
  app.add_option("--threads", options.threads, "Threads of one inference")
      ->check(CLI::Range(1, 1024));
  app.add_option("--seconds", options.seconds, "How long to measure")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = unbraid::worker::Run(options);
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << "error: " << status.message() << "\n";
  return EXIT_FAILURE;
}
