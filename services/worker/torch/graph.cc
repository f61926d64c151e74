#include "services/worker/torch/graph.h"

#include <torch/csrc/jit/ir/ir.h>
#include <torch/version.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/base/status.h"

namespace unbraid::worker {
namespace {

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

// A trace writes down the device that it was made on wherever a tensor is made.
void MoveConstants(torch::jit::Block* block, const at::Device& device) {
  for (torch::jit::Node* node : block->nodes()) {
    for (torch::jit::Block* inner : node->blocks()) MoveConstants(inner, device);
    if (node->kind() != c10::prim::Constant || !node->hasAttribute(c10::attr::value) ||
        node->output()->type()->kind() != c10::TypeKind::DeviceObjType) {
      continue;
    }
    node->s_(c10::attr::value, device.str());
  }
}

absl::StatusOr<torch::jit::Module> LoadModule(const std::string& path, const std::string& made_with,
                                              const at::Device& device) {
  try {
    torch::jit::Module module = torch::jit::load(path, device);
    module.eval();
    for (const torch::jit::Module& part : module.modules()) {
      for (const torch::jit::Method& method : part.get_methods()) {
        MoveConstants(method.graph()->block(), device);
      }
    }
    return module;
  } catch (const std::exception& error) {
    const std::string maker = made_with.empty() ? "" : absl::StrCat(", made with ", made_with);
    return absl::InvalidArgumentError(
        absl::StrCat(path, maker, ": libtorch ", TORCH_VERSION, " cannot load it: ", Words(error)));
  }
}

}  // namespace

std::string Words(const std::exception& error) {
  const auto* own = dynamic_cast<const c10::Error*>(&error);
  return own != nullptr ? own->what_without_backtrace() : error.what();
}

bool Contains(absl::Span<const int> wanted, int stem) {
  return std::find(wanted.begin(), wanted.end(), stem) != wanted.end();
}

bool Graph::MakesAnyOf(absl::Span<const int> wanted) const {
  return std::any_of(stems.begin(), stems.end(), [&](int stem) { return Contains(wanted, stem); });
}

absl::StatusOr<at::Tensor> Graph::Run(const at::Tensor& input, const Geometry& geometry,
                                      Precision precision) {
  torch::jit::IValue output = module.forward({input});
  if (precision == Precision::kBfloat16 && output.isTensor() &&
      output.toTensor().scalar_type() == at::kBFloat16) {
    output = output.toTensor().to(at::kFloat);
  }
  UNBRAID_RETURN_IF_ERROR(CheckOutput(output, {input.size(0), static_cast<int64_t>(stems.size()),
                                               geometry.channels, geometry.window_frames}));
  return output.toTensor().contiguous();
}

absl::StatusOr<Graphs> LoadGraphs(const model::Package& package, const at::Device& device) {
  Graphs graphs;
  for (const model::Graph& graph : package.graphs) {
    UNBRAID_ASSIGN_OR_RETURN(torch::jit::Module module,
                             LoadModule(graph.path, package.min_libtorch, device));
    graphs.push_back(std::make_unique<Graph>(Graph{std::move(module), graph.stems}));
  }
  return graphs;
}

}  // namespace unbraid::worker
