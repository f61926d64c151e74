#include "services/worker/torch/torch_separator.h"

#include <torch/script.h>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/worker/torch/autocast.h"
#include "services/worker/torch/graph.h"
#include "services/worker/torch/tensor_memory.h"
#include "services/worker/torch/tensor_meter.h"
#include "services/worker/torch/torch_runtime.h"

namespace unbraid::worker {
namespace {

constexpr int kWarmUps = 2;

// Puts the wanted stems that a graph has made of all windows where they belong in `all`.
void PlaceStems(const Graph& graph, const at::Tensor& made, const Geometry& geometry,
                absl::Span<const int> wanted, float* all) {
  const float* from = made.data_ptr<float>();
  const size_t samples = geometry.window_samples();
  for (int64_t window = 0; window < made.size(0); ++window) {
    for (const int stem : graph.stems) {
      const auto place = static_cast<size_t>(window * geometry.stems + stem);
      if (Contains(wanted, stem)) std::copy_n(from, samples, all + place * samples);
      from += samples;
    }
  }
}

}  // namespace

TorchSeparator::TorchSeparator(const Geometry& geometry, Graphs graphs, Precision precision)
    : geometry_(geometry), precision_(precision), graphs_(std::move(graphs)) {}

TorchSeparator::~TorchSeparator() {
  graphs_.clear();
  TrimTensorMemory();  // what the next model needs may be of other sizes
}

absl::StatusOr<std::unique_ptr<Separator>> TorchSeparator::Load(const model::Package& package,
                                                                int threads, Precision precision) {
  UNBRAID_RETURN_IF_ERROR(CheckPrecision(precision));
  UNBRAID_RETURN_IF_ERROR(model::VerifyGraphs(package));
  UNBRAID_RETURN_IF_ERROR(PrepareTorchThread(threads));
  const TensorMeter meter;
  UNBRAID_ASSIGN_OR_RETURN(Graphs graphs, LoadGraphs(package, at::kCPU));
  const Geometry geometry = {package.channels, package.window_frames,
                             static_cast<int>(package.stems.size())};
  std::unique_ptr<TorchSeparator> separator(
      new TorchSeparator(geometry, std::move(graphs), precision));
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
    const Autocast autocast(precision_);
    // The tensor borrows the caller's memory. A graph that writes into its input writes into a
    // window that nobody reads again, or, where there are several graphs, or several windows, which
    // are tried again one by one when this fails, into a copy.
    const bool once = graphs_.size() == 1 && batch == 1;
    const at::Tensor input = torch::from_blob(
        const_cast<float*>(windows.data()),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
        {batch, geometry_.channels, geometry_.window_frames}, at::kFloat);
    for (const auto& graph : graphs_) {
      if (!graph->MakesAnyOf(wanted)) continue;
      UNBRAID_ASSIGN_OR_RETURN(const at::Tensor made,
                               graph->Run(once ? input : input.clone(), geometry_, precision_));
      PlaceStems(*graph, made, geometry_, wanted, stems->data());
    }
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return absl::InternalError(Words(error));
  }
}

}  // namespace unbraid::worker
