#include "services/worker/torch/torch_executor.h"

#include <torch/script.h>

#include <cstring>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/worker/device.h"
#include "services/worker/torch/graph.h"
#include "services/worker/torch/tensor_memory.h"
#include "services/worker/torch/tensor_meter.h"
#include "services/worker/torch/torch_runtime.h"

namespace unbraid::worker {
namespace {

constexpr int kWarmUps = 2;

// What a graph has made, on the device: [windows, its stems, channels, frames].
struct Made {
  const Graph* graph;
  at::Tensor stems;
};

// Runs `work`, which may throw what libtorch throws.
template <typename Work>
absl::Status Guarded(Work work) {
  try {
    const c10::InferenceMode inference;
    return work();
  } catch (const std::exception& error) {
    return StatusOfGpuFailure(Words(error));
  }
}

}  // namespace

struct TorchExecutor::Slot {
  // Buffers for as many windows as the largest batch had: flat on the host, so that a batch of
  // another size needs no other one; [windows, channels, frames] on the device.
  at::Tensor host_in;
  at::Tensor host_out;
  at::Tensor device_in;

  // Of the batch that is in the slot. What was made is kept until it has been downloaded.
  int64_t windows = 0;
  std::vector<int> wanted;
  std::vector<Made> made;
};

TorchExecutor::TorchExecutor(const Geometry& geometry, std::vector<std::unique_ptr<Graph>> graphs,
                             std::unique_ptr<Lanes> lanes)
    : geometry_(geometry), lanes_(std::move(lanes)), graphs_(std::move(graphs)) {
  for (int i = 0; i < kSlots; ++i) slots_.push_back(std::make_unique<Slot>());
}

TorchExecutor::~TorchExecutor() {
  // Buffers may be gone only when nothing on the device uses them.
  (void)Guarded([&] {
    for (int slot = 0; slot < kSlots; ++slot) {
      for (const auto lane : {Lanes::kUpload, Lanes::kCompute, Lanes::kDownload}) {
        lanes_->Await(lane, slot);
      }
    }
    return absl::OkStatus();
  });
  slots_.clear();
  graphs_.clear();
  ReleaseMemory();
  TrimTensorMemory();  // of what loading took
}

absl::StatusOr<std::unique_ptr<Executor>> TorchExecutor::Load(const model::Package& package,
                                                              int threads,
                                                              std::unique_ptr<Lanes> lanes) {
  UNBRAID_RETURN_IF_ERROR(model::VerifyGraphs(package));
  UNBRAID_RETURN_IF_ERROR(PrepareTorchThread(threads));
  const TensorMeter meter;
  auto graphs = LoadGraphs(package, lanes->device());
  if (!graphs.ok()) {
    const absl::Status lack = StatusOfGpuFailure(graphs.status().message());
    return absl::IsInternal(lack) ? graphs.status() : lack;
  }
  const Geometry geometry = {package.channels, package.window_frames,
                             static_cast<int>(package.stems.size())};
  std::unique_ptr<TorchExecutor> executor(
      new TorchExecutor(geometry, *std::move(graphs), std::move(lanes)));
  UNBRAID_RETURN_IF_ERROR(executor->WarmUp(package));
  executor->footprint_.kept_bytes = meter.bytes();
  executor->footprint_.working_bytes = meter.peak_bytes() - meter.bytes();
  TrimTensorMemory();  // on the host, a device's model needs no more of it
  return std::unique_ptr<Executor>(std::move(executor));
}

absl::Status TorchExecutor::WarmUp(const model::Package& package) {
  const std::vector<float> silence(geometry_.window_samples());
  for (const model::Graph& graph : package.graphs) {
    for (int i = 0; i < kWarmUps; ++i) {
      absl::Status warm = Upload(i % kSlots, silence);
      if (warm.ok()) warm = Compute(i % kSlots, graph.stems);
      if (warm.ok()) warm = Download(i % kSlots);
      if (warm.ok()) warm = Await(i % kSlots).status();
      if (absl::IsInternal(warm)) {
        return absl::InvalidArgumentError(absl::StrCat(graph.path, ": ", warm.message()));
      }
      UNBRAID_RETURN_IF_ERROR(warm);
    }
  }
  return absl::OkStatus();
}

void TorchExecutor::MakeRoom(int64_t windows, int number) {
  Slot& slot = *slots_[static_cast<size_t>(number)];
  if (slot.device_in.defined() && slot.device_in.size(0) >= windows) return;
  slot.device_in = at::Tensor();
  slot.host_in = lanes_->HostBuffer(windows * static_cast<int64_t>(geometry_.window_samples()));
  slot.host_out = lanes_->HostBuffer(windows * static_cast<int64_t>(geometry_.output_samples()));
  // Taken on the lane that will read it. The memory may have been given back there by work that
  // still goes on, so the upload follows this mark.
  const auto lane = lanes_->Use(Lanes::kCompute);
  slot.device_in = at::empty({windows, geometry_.channels, geometry_.window_frames},
                             at::TensorOptions().dtype(at::kFloat).device(lanes_->device()));
  lanes_->Mark(Lanes::kCompute, number);
}

absl::Status TorchExecutor::Upload(int number, absl::Span<const float> windows) {
  const size_t samples = geometry_.window_samples();
  if (windows.empty() || windows.size() % samples != 0) {
    return absl::InternalError(absl::StrCat(windows.size(), " samples are no whole windows of ",
                                            geometry_.channels, " x ", geometry_.window_frames));
  }
  return Guarded([&] {
    Slot& slot = *slots_[static_cast<size_t>(number)];
    // Nothing of a batch that was lost half-way may still use the buffers.
    for (const auto lane : {Lanes::kUpload, Lanes::kDownload}) lanes_->Await(lane, number);
    slot.made.clear();
    slot.windows = static_cast<int64_t>(windows.size() / samples);
    MakeRoom(slot.windows, number);
    std::memcpy(slot.host_in.data_ptr<float>(), windows.data(), windows.size() * sizeof(float));
    lanes_->Follow(Lanes::kUpload, Lanes::kCompute, number);
    const auto lane = lanes_->Use(Lanes::kUpload);
    const at::Tensor from = slot.host_in.narrow(0, 0, static_cast<int64_t>(windows.size()));
    slot.device_in.narrow(0, 0, slot.windows).view({-1}).copy_(from, /*non_blocking=*/true);
    lanes_->Mark(Lanes::kUpload, number);
    return absl::OkStatus();
  });
}

absl::Status TorchExecutor::Compute(int number, absl::Span<const int> wanted) {
  return Guarded([&]() -> absl::Status {
    Slot& slot = *slots_[static_cast<size_t>(number)];
    slot.wanted.assign(wanted.begin(), wanted.end());
    lanes_->Follow(Lanes::kCompute, Lanes::kUpload, number);
    const auto lane = lanes_->Use(Lanes::kCompute);
    const at::Tensor input = slot.device_in.narrow(0, 0, slot.windows);
    for (const auto& graph : graphs_) {
      if (!graph->MakesAnyOf(wanted)) continue;
      // A graph that writes into its input writes into a buffer that is filled anew for the next
      // batch, or, where there are several graphs, into a copy.
      UNBRAID_ASSIGN_OR_RETURN(at::Tensor made,
                               graph->Run(graphs_.size() == 1 ? input : input.clone(), geometry_));
      slot.made.push_back({graph.get(), std::move(made)});
    }
    lanes_->Mark(Lanes::kCompute, number);
    return absl::OkStatus();
  });
}

absl::Status TorchExecutor::Download(int number) {
  return Guarded([&] {
    Slot& slot = *slots_[static_cast<size_t>(number)];
    lanes_->Follow(Lanes::kDownload, Lanes::kCompute, number);
    const auto lane = lanes_->Use(Lanes::kDownload);
    const auto samples = static_cast<int64_t>(geometry_.window_samples());
    for (const Made& made : slot.made) {
      for (int64_t window = 0; window < slot.windows; ++window) {
        for (size_t i = 0; i < made.graph->stems.size(); ++i) {
          const int stem = made.graph->stems[i];
          if (!Contains(slot.wanted, stem)) continue;
          // Both sides in one piece, or it were no copy that goes on by itself.
          const at::Tensor from = made.stems[window][static_cast<int64_t>(i)].view({-1});
          const int64_t place = (window * geometry_.stems + stem) * samples;
          slot.host_out.narrow(0, place, samples).copy_(from, /*non_blocking=*/true);
        }
      }
    }
    lanes_->Mark(Lanes::kDownload, number);
    return absl::OkStatus();
  });
}

absl::StatusOr<absl::Span<const float>> TorchExecutor::Await(int number) {
  Slot& slot = *slots_[static_cast<size_t>(number)];
  UNBRAID_RETURN_IF_ERROR(Guarded([&] {
    lanes_->Await(Lanes::kDownload, number);
    slot.made.clear();
    return absl::OkStatus();
  }));
  const auto samples = static_cast<size_t>(slot.windows) * geometry_.output_samples();
  return absl::MakeConstSpan(slot.host_out.data_ptr<float>(), samples);
}

void TorchExecutor::ReleaseMemory() {
  // Nothing more can be done where this fails; the next step will say what is wrong.
  (void)Guarded([&] {
    lanes_->ReleaseMemory();
    return absl::OkStatus();
  });
}

}  // namespace unbraid::worker
