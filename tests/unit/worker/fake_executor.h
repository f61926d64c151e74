#ifndef UNBRAID_TESTS_UNIT_WORKER_FAKE_EXECUTOR_H_
#define UNBRAID_TESTS_UNIT_WORKER_FAKE_EXECUTOR_H_

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/worker/executor.h"

namespace unbraid::worker {

// A device with a clock of its own, which goes on when somebody waits. Copying in, computing and
// copying out go on beside each other, each in its own order. Stem s of a window is (s + 1) times
// the window.
class FakeExecutor : public Executor {
 public:
  enum Step { kUpload, kCompute, kDownload, kAwait };

  explicit FakeExecutor(const Geometry& geometry, int slots = 2)
      : geometry_(geometry), batches_(static_cast<size_t>(slots)) {}

  const Geometry& geometry() const override { return geometry_; }
  const Footprint& footprint() const override { return needs; }
  int slots() const override { return static_cast<int>(batches_.size()); }

  absl::Status Upload(int slot, absl::Span<const float> windows) override {
    Batch& batch = At(slot);
    batch = Batch();
    batch.windows.assign(windows.begin(), windows.end());
    return Do(kUpload, &batch);
  }
  absl::Status Compute(int slot, absl::Span<const int> stems_wanted) override {
    wanted.assign(stems_wanted.begin(), stems_wanted.end());
    Batch& batch = At(slot);
    batch.on_device = true;
    int all = 0;
    for (const Batch& other : batches_) all += other.on_device ? Windows(other) : 0;
    if (all > room) {
      batch.on_device = false;
      return absl::ResourceExhaustedError(absl::StrCat("no room for ", Windows(batch)));
    }
    sizes.push_back(Windows(batch));
    return Do(kCompute, &batch);
  }
  absl::Status Download(int slot) override { return Do(kDownload, &At(slot)); }
  absl::StatusOr<absl::Span<const float>> Await(int slot) override {
    Batch& batch = At(slot);
    if (absl::Status status = Do(kAwait, &batch); !status.ok()) return status;
    now = std::max(now, batch.done);
    batch.on_device = false;
    batch.stems.clear();
    const size_t samples = geometry_.window_samples();
    for (size_t first = 0; first < batch.windows.size(); first += samples) {
      for (int stem = 0; stem < geometry_.stems; ++stem) {
        for (size_t i = 0; i < samples; ++i) {
          batch.stems.push_back(batch.windows[first + i] * static_cast<float>(stem + 1));
        }
      }
    }
    return absl::MakeConstSpan(batch.stems);
  }
  void ReleaseMemory() override { ++releases; }

  // What the steps cost for each window, by step, in ticks.
  std::vector<int> costs = {1, 4, 2, 0};
  // Windows that the device has memory for, those of all batches together.
  int room = std::numeric_limits<int>::max();
  // What becomes of a step for so many windows, the first of which begins with `first`.
  std::function<absl::Status(Step, int windows, float first)> trouble;
  Footprint needs;

  int now = 0;             // ticks
  std::vector<int> sizes;  // windows of what was computed
  std::vector<int> wanted;
  int releases = 0;

 private:
  struct Batch {
    std::vector<float> windows;
    std::vector<float> stems;
    bool on_device = false;
    int done = 0;  // when the last step is
  };

  Batch& At(int slot) { return batches_.at(static_cast<size_t>(slot)); }
  int Windows(const Batch& batch) const {
    return static_cast<int>(batch.windows.size() / geometry_.window_samples());
  }
  absl::Status Do(Step step, Batch* batch) {
    if (trouble) {
      absl::Status status = trouble(step, Windows(*batch), batch->windows.front());
      batch->on_device = batch->on_device && status.ok();
      if (!status.ok()) return status;
    }
    const int begin = std::max({now, batch->done, free_at_[step]});
    batch->done = free_at_[step] = begin + Windows(*batch) * costs[step];
    return absl::OkStatus();
  }

  const Geometry geometry_;
  std::vector<Batch> batches_;
  std::vector<int> free_at_ = {0, 0, 0, 0};
};

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_UNIT_WORKER_FAKE_EXECUTOR_H_
