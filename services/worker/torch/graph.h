#ifndef UNBRAID_SERVICES_WORKER_TORCH_GRAPH_H_
#define UNBRAID_SERVICES_WORKER_TORCH_GRAPH_H_

#include <torch/script.h>

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/common/model/package.h"
#include "services/worker/precision.h"
#include "services/worker/separator.h"

namespace unbraid::worker {

// What went wrong, in the runtime's words. Its own errors carry the place in the graph; the stack
// of the C++ code that they carry too says nothing to anybody here.
std::string Words(const std::exception& error);

// One TorchScript graph of a package, and the positions of the stems that it makes.
struct Graph {
  torch::jit::Module module;
  std::vector<int> stems;

  bool MakesAnyOf(absl::Span<const int> wanted) const;

  // [windows, channels, frames] in, [windows, stems, channels, frames] out, planar, on the graph's
  // device. INTERNAL for an output of another shape or type, but for bfloat16 where the graph is
  // computed in it; throws what libtorch throws.
  absl::StatusOr<at::Tensor> Run(const at::Tensor& input, const Geometry& geometry,
                                 Precision precision = Precision::kFloat32);
};

using Graphs = std::vector<std::unique_ptr<Graph>>;

bool Contains(absl::Span<const int> wanted, int stem);

// All graphs of a package, whose hashes have been checked, on `device`. A device that a trace has
// written into a graph is replaced by `device`, so that a package may be made anywhere.
// INVALID_ARGUMENT when one cannot be loaded.
absl::StatusOr<Graphs> LoadGraphs(const model::Package& package, const at::Device& device);

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_GRAPH_H_
