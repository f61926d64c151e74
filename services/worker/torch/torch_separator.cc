#include "services/worker/torch/torch_separator.h"

#include <torch/script.h>

#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/base/status.h"
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

absl::Status CheckOutput(const torch::jit::IValue& value, const Geometry& geometry, int64_t batch) {
  if (!value.isTensor()) {
    return absl::InternalError(
        absl::StrCat("the model gave a ", value.tagKind(), " instead of a tensor"));
  }
  const at::Tensor& tensor = value.toTensor();
  const std::vector<int64_t> expected = {batch, geometry.stems, geometry.channels,
                                         geometry.window_frames};
  if (tensor.scalar_type() != at::kFloat || tensor.sizes() != at::IntArrayRef(expected)) {
    return absl::InternalError(
        absl::StrCat("the model gave ", c10::toString(tensor.scalar_type()), " of shape [",
                     absl::StrJoin(tensor.sizes(), ", "), "]; the package says Float of shape [",
                     absl::StrJoin(expected, ", "), "] (windows, stems, channels, frames)"));
  }
  return absl::OkStatus();
}

}  // namespace

struct TorchSeparator::Graph {
  torch::jit::Module module;
};

TorchSeparator::TorchSeparator(const Geometry& geometry, std::unique_ptr<Graph> graph)
    : geometry_(geometry), graph_(std::move(graph)) {}

TorchSeparator::~TorchSeparator() = default;

absl::StatusOr<std::unique_ptr<Separator>> TorchSeparator::Load(const model::Package& package,
                                                                int threads) {
  UNBRAID_RETURN_IF_ERROR(model::VerifyGraph(package));
  UNBRAID_RETURN_IF_ERROR(PrepareTorchThread(threads));
  auto graph = std::make_unique<Graph>();
  const TensorMeter meter;
  try {
    graph->module = torch::jit::load(package.graph_path, torch::kCPU);
    graph->module.eval();
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(package.graph_path, ": libtorch cannot load it: ", Words(error)));
  }
  const Geometry geometry = {package.channels, package.window_frames,
                             static_cast<int>(package.stems.size())};
  std::unique_ptr<TorchSeparator> separator(new TorchSeparator(geometry, std::move(graph)));
  const absl::Status warm = separator->WarmUp();
  if (!warm.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(package.graph_path, ": ", warm.message()));
  }
  separator->footprint_.kept_bytes = meter.bytes();
  separator->footprint_.working_bytes = meter.peak_bytes() - meter.bytes();
  return std::unique_ptr<Separator>(std::move(separator));
}

absl::Status TorchSeparator::WarmUp() {
  std::vector<float> silence(geometry_.window_samples());
  std::vector<float> stems;
  for (int i = 0; i < kWarmUps; ++i) UNBRAID_RETURN_IF_ERROR(Separate(silence, &stems));
  return absl::OkStatus();
}

absl::Status TorchSeparator::Separate(absl::Span<const float> windows, std::vector<float>* stems) {
  const size_t samples = geometry_.window_samples();
  if (windows.empty() || windows.size() % samples != 0) {
    return absl::InternalError(absl::StrCat(windows.size(), " samples are no whole windows of ",
                                            geometry_.channels, " x ", geometry_.window_frames));
  }
  const auto batch = static_cast<int64_t>(windows.size() / samples);
  try {
    const c10::InferenceMode inference;
    // The tensor borrows the caller's memory. A graph that writes into its input writes into a
    // window that nobody reads again.
    const at::Tensor input = torch::from_blob(
        const_cast<float*>(windows.data()),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
        {batch, geometry_.channels, geometry_.window_frames}, at::kFloat);
    const torch::jit::IValue output = graph_->module.forward({input});
    UNBRAID_RETURN_IF_ERROR(CheckOutput(output, geometry_, batch));
    const at::Tensor planar = output.toTensor().contiguous();
    const float* first = planar.data_ptr<float>();
    stems->assign(first, first + planar.numel());
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return absl::InternalError(Words(error));
  }
}

}  // namespace unbraid::worker
