#include "services/worker/torch/torch_separator.h"

#include <torch/script.h>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/base/status.h"
#include "services/worker/torch/tensor_memory.h"
#include "services/worker/torch/tensor_meter.h"
#include "services/worker/torch/torch_runtime.h"

namespace unbraid::worker {
namespace {

constexpr int kWarmUps = 2;

// What went wrong, in the runtime's words. Its own errors carry the place in the graph; the stack
// of the C++ code that they carry too says nothing to anybody here.
std::string Words(const std::exception& error) {
  const auto* own = dynamic_cast<const c10::Error*>(&error);
  return own != nullptr ? own->what_without_backtrace() : error.what();
}

absl::Status CheckOutput(const torch::jit::IValue& value, const std::vector<int64_t>& expected) {
  if (!value.isTensor()) {
    return absl::InternalError(
        absl::StrCat("the model gave a ", value.tagKind(), " instead of a tensor"));
  }
  const at::Tensor& tensor = value.toTensor();
  if (tensor.scalar_type() != at::kFloat || tensor.sizes() != at::IntArrayRef(expected)) {
    return absl::InternalError(
        absl::StrCat("the model gave ", c10::toString(tensor.scalar_type()), " of shape [",
                     absl::StrJoin(tensor.sizes(), ", "), "]; the package says Float of shape [",
                     absl::StrJoin(expected, ", "), "] (windows, stems, channels, frames)"));
  }
  return absl::OkStatus();
}

bool Contains(absl::Span<const int> wanted, int stem) {
  return std::find(wanted.begin(), wanted.end(), stem) != wanted.end();
}

absl::StatusOr<torch::jit::Module> LoadModule(const std::string& path) {
  try {
    torch::jit::Module module = torch::jit::load(path, torch::kCPU);
    module.eval();
    return module;
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": libtorch cannot load it: ", Words(error)));
  }
}

}  // namespace

struct TorchSeparator::Graph {
  torch::jit::Module module;
  std::vector<int> stems;

  bool MakesAnyOf(absl::Span<const int> wanted) const {
    return std::any_of(stems.begin(), stems.end(),
                       [&](int stem) { return Contains(wanted, stem); });
  }

  // Puts the wanted stems of all windows of `input` where they belong in `all`. Throws what
  // libtorch throws.
  absl::Status Run(const at::Tensor& input, const Geometry& geometry, absl::Span<const int> wanted,
                   float* all) {
    const torch::jit::IValue output = module.forward({input});
    const int64_t batch = input.size(0);
    UNBRAID_RETURN_IF_ERROR(CheckOutput(output, {batch, static_cast<int64_t>(stems.size()),
                                                 geometry.channels, geometry.window_frames}));
    const at::Tensor planar = output.toTensor().contiguous();
    const float* from = planar.data_ptr<float>();
    const size_t samples = geometry.window_samples();
    for (int64_t window = 0; window < batch; ++window) {
      for (const int stem : stems) {
        const auto place = static_cast<size_t>(window * geometry.stems + stem);
        if (Contains(wanted, stem)) std::copy_n(from, samples, all + place * samples);
        from += samples;
      }
    }
    return absl::OkStatus();
  }
};

TorchSeparator::TorchSeparator(const Geometry& geometry, Graphs graphs)
    : geometry_(geometry), graphs_(std::move(graphs)) {}

TorchSeparator::~TorchSeparator() {
  graphs_.clear();
  TrimTensorMemory();  // what the next model needs may be of other sizes
}

absl::StatusOr<std::unique_ptr<Separator>> TorchSeparator::Load(const model::Package& package,
                                                                int threads) {
  UNBRAID_RETURN_IF_ERROR(model::VerifyGraphs(package));
  UNBRAID_RETURN_IF_ERROR(PrepareTorchThread(threads));
  const TensorMeter meter;
  Graphs graphs;
  for (const model::Graph& graph : package.graphs) {
    UNBRAID_ASSIGN_OR_RETURN(torch::jit::Module module, LoadModule(graph.path));
    graphs.push_back(std::make_unique<Graph>(Graph{std::move(module), graph.stems}));
  }
  const Geometry geometry = {package.channels, package.window_frames,
                             static_cast<int>(package.stems.size())};
  std::unique_ptr<TorchSeparator> separator(new TorchSeparator(geometry, std::move(graphs)));
  UNBRAID_RETURN_IF_ERROR(separator->WarmUp(package));
  separator->footprint_.kept_bytes = meter.bytes();
  separator->footprint_.working_bytes = meter.peak_bytes() - meter.bytes();
  return std::unique_ptr<Separator>(std::move(separator));
}

absl::Status TorchSeparator::WarmUp(const model::Package& package) {
  const std::vector<float> silence(geometry_.window_samples());
  std::vector<float> stems;
  for (const model::Graph& graph : package.graphs) {
    for (int i = 0; i < kWarmUps; ++i) {
      const absl::Status warm = Separate(silence, graph.stems, &stems);
      if (!warm.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(graph.path, ": ", warm.message()));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status TorchSeparator::Separate(absl::Span<const float> windows, absl::Span<const int> wanted,
                                      std::vector<float>* stems) {
  const size_t samples = geometry_.window_samples();
  if (windows.empty() || windows.size() % samples != 0) {
    return absl::InternalError(absl::StrCat(windows.size(), " samples are no whole windows of ",
                                            geometry_.channels, " x ", geometry_.window_frames));
  }
  const auto batch = static_cast<int64_t>(windows.size() / samples);
  stems->resize(windows.size() * static_cast<size_t>(geometry_.stems));
  try {
    const c10::InferenceMode inference;
    // The tensor borrows the caller's memory. A graph that writes into its input writes into a
    // window that nobody reads again, or, where there are several graphs, into a copy.
    const at::Tensor input = torch::from_blob(
        const_cast<float*>(windows.data()),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
        {batch, geometry_.channels, geometry_.window_frames}, at::kFloat);
    for (const auto& graph : graphs_) {
      if (!graph->MakesAnyOf(wanted)) continue;
      UNBRAID_RETURN_IF_ERROR(graph->Run(graphs_.size() == 1 ? input : input.clone(), geometry_,
                                         wanted, stems->data()));
    }
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return absl::InternalError(Words(error));
  }
}

}  // namespace unbraid::worker
