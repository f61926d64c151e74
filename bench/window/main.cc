// unbraid-window: runs a model on windows of noise, as a worker does, and prints what each of them
// took, one line of JSON for each window. A line on its standard input asks for the next one, so
// that a script can take turns between this and something else.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/common/base/status.h"
#include "services/common/model/package.h"
#include "services/worker/torch/torch_separator.h"

namespace unbraid::window {
namespace {

constexpr float kLevel = 0.1F;

struct Usage {
  double wall = 0;
  double cpu = 0;  // of all threads
  double faults = 0;
};

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

Usage Now() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return {absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()),
          Seconds(usage.ru_utime) + Seconds(usage.ru_stime), static_cast<double>(usage.ru_minflt)};
}

std::vector<float> Noise(size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0F, kLevel);
  std::vector<float> samples(count);
  for (float& sample : samples) sample = normal(random);
  return samples;
}

absl::Status Run(const std::string& folder, int threads) {
  UNBRAID_ASSIGN_OR_RETURN(const model::Package package, model::LoadPackage(folder));
  UNBRAID_ASSIGN_OR_RETURN(const auto separator, worker::TorchSeparator::Load(package, threads));
  const worker::Geometry& geometry = separator->geometry();
  const std::vector<float> window = Noise(geometry.window_samples());
  std::vector<int> all(static_cast<size_t>(geometry.stems));
  std::iota(all.begin(), all.end(), 0);
  std::vector<float> stems;
  std::string line;
  while (std::getline(std::cin, line)) {
    const Usage before = Now();
    UNBRAID_RETURN_IF_ERROR(separator->Separate(window, all, &stems));
    const Usage after = Now();
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    std::cout << absl::StrFormat(
                     R"({"wall_s": %.6f, "cpu_s": %.6f, "page_faults": %.0f, "peak_mb": %d})",
                     after.wall - before.wall, after.cpu - before.cpu, after.faults - before.faults,
                     usage.ru_maxrss / 1024)
              << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace unbraid::window

int main(int argc, char** argv) {
  std::string folder;
  int threads = 1;
  CLI::App app("Times a model's windows in the worker's own code");
  app.add_option("PACKAGE", folder, "folder of the package")->required();
  app.add_option("--threads", threads, "threads of the model");
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = unbraid::window::Run(folder, threads);
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << "unbraid-window: " << status.message() << '\n';
  return EXIT_FAILURE;
}
