#include "tests/component/worker/host_lanes.h"

#include <ATen/Functions.h>

#include "absl/strings/str_cat.h"
#include "services/worker/torch/lanes.h"
#include "services/worker/torch/torch_executor.h"

namespace unbraid::worker {
namespace {

constexpr const char* kNames[] = {"upload", "compute", "download"};

class HostLanes : public Lanes {
 public:
  explicit HostLanes(HostLanesBook* book) : book_(book) {}

  at::Device device() const override { return at::kCPU; }
  std::unique_ptr<Guard> Use(Lane lane) override {
    book_->log.push_back(absl::StrCat("use ", kNames[lane]));
    return std::make_unique<Guard>();
  }
  void Mark(Lane lane, int slot) override {
    book_->log.push_back(absl::StrCat("mark ", kNames[lane], " ", slot));
  }
  void Follow(Lane lane, Lane earlier, int slot) override {
    book_->log.push_back(absl::StrCat(kNames[lane], " follows ", kNames[earlier], " ", slot));
  }
  void Await(Lane lane, int slot) override {
    book_->log.push_back(absl::StrCat("await ", kNames[lane], " ", slot));
  }
  at::Tensor HostBuffer(int64_t samples) override {
    TORCH_CHECK(samples <= book_->most_samples, "CUDA out of memory. Tried to allocate");
    return at::empty({samples}, at::kFloat);
  }
  void ReleaseMemory() override { book_->log.emplace_back("release"); }

 private:
  HostLanesBook* const book_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Executor>> LoadOnHostLanes(const model::Package& package,
                                                          HostLanesBook* book) {
  return TorchExecutor::Load(package, /*threads=*/1, std::make_unique<HostLanes>(book));
}

}  // namespace unbraid::worker
