// unbraid-inference: times a model package as the worker runs it, without broker and messages. One
// line of JSON.
#include <ATen/Context.h>
#include <c10/core/CPUAllocator.h>
#include <dlfcn.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/common/base/status.h"
#include "services/common/model/package.h"
#include "services/worker/torch/torch_separator.h"

namespace unbraid::inference {
namespace {

struct Options {
  std::string model;
  int threads = 1;
  int batch = 1;
  int calls = 5;
  std::string precision = "f32";
  float level = 0.125F;
  // What the worker does that can be left undone, to see what it gains.
  bool fresh_tensors = false;
  bool keep_denormals = false;
  int blas_threads = 0;  // as the worker has it
};

// Noise: no model has a short way for it.
std::vector<float> Noise(size_t samples, float level) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> sample(-level, level);
  std::vector<float> noise(samples);
  for (float& each : noise) each = sample(random);
  return noise;
}

// After loading, which has set everything as the worker has it.
absl::Status Undo(const Options& options) {
  if (options.fresh_tensors) c10::SetCPUAllocator(c10::GetDefaultCPUAllocator(), /*priority=*/1);
  if (options.keep_denormals) at::globalContext().setFlushDenormal(false);
  if (options.blas_threads > 0) {
    void* const function = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
    if (function == nullptr) return absl::UnavailableError("there is no OpenBLAS in this build");
    reinterpret_cast<void (*)(int)>(function)(options.blas_threads);
  }
  return absl::OkStatus();
}

absl::StatusOr<nlohmann::json> Run(const Options& options) {
  UNBRAID_ASSIGN_OR_RETURN(const model::Package package, model::LoadPackage(options.model));
  UNBRAID_ASSIGN_OR_RETURN(const auto precision, worker::ParsePrecision(options.precision));
  const absl::Time before = absl::Now();
  UNBRAID_ASSIGN_OR_RETURN(const auto separator,
                           worker::TorchSeparator::Load(package, options.threads, precision));
  const double load_seconds = absl::ToDoubleSeconds(absl::Now() - before);
  UNBRAID_RETURN_IF_ERROR(Undo(options));
  const std::vector<float> windows = Noise(
      static_cast<size_t>(options.batch) * separator->geometry().window_samples(), options.level);
  std::vector<int> all(package.stems.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<float> stems;
  std::vector<double> call_seconds;
  // Loading has warmed one window up, of silence, and no more.
  for (int call = 0; (options.batch > 1 || options.fresh_tensors) && call < 2; ++call)
    UNBRAID_RETURN_IF_ERROR(separator->Separate(windows, all, &stems));
  for (int call = 0; call < options.calls; ++call) {
    const absl::Time begin = absl::Now();
    UNBRAID_RETURN_IF_ERROR(separator->Separate(windows, all, &stems));
    call_seconds.push_back(absl::ToDoubleSeconds(absl::Now() - begin));
  }
  const auto window_frames = static_cast<double>(package.window_frames);
  const auto stride_frames = static_cast<double>(package.window_frames - package.overlap_frames);
  return nlohmann::json{
      {"load_seconds", load_seconds},
      {"call_seconds", call_seconds},
      {"window_seconds", window_frames / package.sample_rate_hz},
      {"stride_seconds", stride_frames / package.sample_rate_hz},
      {"kept_bytes", separator->footprint().kept_bytes},
      {"working_bytes", separator->footprint().working_bytes},
  };
}

}  // namespace
}  // namespace unbraid::inference

int main(int argc, char** argv) {
  unbraid::inference::Options options;
  CLI::App app("Times a model package as the worker runs it.", "unbraid-inference");
  app.add_option("--model", options.model, "Folder of a model package")->required();
  app.add_option("--threads", options.threads, "Threads of an inference")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Windows of a call")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--calls", options.calls, "Calls that are timed, after the two that warm up")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--precision", options.precision, "f32 or bf16")->capture_default_str();
  app.add_option("--level", options.level, "Peak of the noise; full scale is 1")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--fresh-tensors", options.fresh_tensors,
               "Let libtorch take the memory of every tensor anew");
  app.add_flag("--keep-denormals", options.keep_denormals, "Compute with denormal numbers");
  app.add_option("--blas-threads", options.blas_threads, "Threads of OpenBLAS; as --threads")
      ->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  const auto result = unbraid::inference::Run(options);
  if (!result.ok()) {
    std::cerr << "error: " << result.status().message() << "\n";
    return EXIT_FAILURE;
  }
  std::cout << result->dump() << "\n";
  return EXIT_SUCCESS;
}
