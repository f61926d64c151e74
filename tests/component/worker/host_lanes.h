#ifndef UNBRAID_TESTS_COMPONENT_WORKER_HOST_LANES_H_
#define UNBRAID_TESTS_COMPONENT_WORKER_HOST_LANES_H_

#include <ATen/Functions.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/worker/torch/lanes.h"

namespace unbraid::worker {

// The CPU as a device with lanes: work is done at once, and what is asked of the lanes is written
// down.
class HostLanes : public Lanes {
 public:
  explicit HostLanes(std::vector<std::string>* log) : log_(log) {}

  at::Device device() const override { return at::kCPU; }
  std::unique_ptr<Guard> Use(Lane lane) override {
    log_->push_back(absl::StrCat("use ", kNames[lane]));
    return std::make_unique<Guard>();
  }
  void Mark(Lane lane, int slot) override {
    log_->push_back(absl::StrCat("mark ", kNames[lane], " ", slot));
  }
  void Follow(Lane lane, Lane earlier, int slot) override {
    log_->push_back(absl::StrCat(kNames[lane], " follows ", kNames[earlier], " ", slot));
  }
  void Await(Lane lane, int slot) override {
    log_->push_back(absl::StrCat("await ", kNames[lane], " ", slot));
  }
  at::Tensor HostBuffer(int64_t samples) override {
    if (samples > most_samples) TORCH_CHECK(false, "CUDA out of memory. Tried to allocate");
    return at::empty({samples}, at::kFloat);
  }
  void ReleaseMemory() override { log_->push_back("release"); }

  int64_t most_samples = INT64_MAX;

 private:
  static constexpr const char* kNames[] = {"upload", "compute", "download"};

  std::vector<std::string>* const log_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_COMPONENT_WORKER_HOST_LANES_H_
