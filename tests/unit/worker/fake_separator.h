#ifndef UNBRAID_TESTS_UNIT_WORKER_FAKE_SEPARATOR_H_
#define UNBRAID_TESTS_UNIT_WORKER_FAKE_SEPARATOR_H_

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/common/base/crc32c.h"
#include "services/common/model/package.h"
#include "services/worker/executor.h"
#include "services/worker/inline_executor.h"
#include "services/worker/pipeline.h"
#include "services/worker/separator.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::worker {

inline constexpr int64_t kWindow = 16;
inline constexpr int64_t kOverlap = 4;

// Stem s of a window is (s + 1) times the window, where nothing else is scripted.
class FakeSeparator : public Separator {
 public:
  explicit FakeSeparator(const Geometry& geometry) : geometry_(geometry) {}

  const Geometry& geometry() const override { return geometry_; }
  const Footprint& footprint() const override { return needs; }

  absl::Status Separate(absl::Span<const float> windows, absl::Span<const int> stems_wanted,
                        std::vector<float>* stems) override {
    if (before) before();
    wanted.assign(stems_wanted.begin(), stems_wanted.end());
    seen.assign(windows.begin(), windows.end());
    batch = windows.size() / geometry_.window_samples();
    stems->clear();
    for (size_t window = 0; window < batch; ++window) {
      const auto one =
          windows.subspan(window * geometry_.window_samples(), geometry_.window_samples());
      for (int stem = 0; stem < geometry_.stems; ++stem) {
        for (const float sample : one) stems->push_back(transform(sample, stem));
      }
    }
    return status;
  }

  std::function<void()> before;
  std::function<float(float, int)> transform = [](float sample, int stem) {
    return sample * static_cast<float>(stem + 1);
  };
  absl::Status status;
  Footprint needs;
  std::vector<float> seen;
  std::vector<int> wanted;
  size_t batch = 0;

 private:
  const Geometry geometry_;
};

inline model::Package FakePackage(int channels) {
  model::Package package;
  package.name = "fake";
  package.sha256 = std::string(64, 'a');
  package.sample_rate_hz = 44100;
  package.channels = channels;
  package.window_frames = kWindow;
  package.overlap_frames = kOverlap;
  package.stems = {"vocals", "rest"};
  return package;
}

inline FakeSeparator SeparatorFor(const model::Package& package) {
  return FakeSeparator(
      {package.channels, package.window_frames, static_cast<int>(package.stems.size())});
}

// What a factory gives for a separator.
inline absl::StatusOr<std::unique_ptr<Executor>> Inline(std::unique_ptr<Separator> separator) {
  return std::make_unique<InlineExecutor>(std::move(separator));
}

// For batches of at most so many windows.
inline Pipeline PipelineOf(std::unique_ptr<Separator> separator, int most) {
  return Pipeline(std::make_unique<InlineExecutor>(std::move(separator)), most,
                  [](const absl::Status&, int) {});
}

inline void SetSamples(const std::vector<float>& samples, internal::v1::ChunkTask* task) {
  task->set_samples(samples.data(), samples.size() * sizeof(float));
  task->set_samples_crc32c(base::Crc32c(task->samples()));
}

// Samples without a pattern that a mistake in the order could hide behind.
inline std::vector<float> Noise(size_t count, uint32_t seed) {
  std::vector<float> samples(count);
  for (float& sample : samples) {
    seed = seed * 1664525U + 1013904223U;
    sample = static_cast<float>(static_cast<int32_t>(seed)) * 0x1p-31F;
  }
  return samples;
}

// A whole-window task for both stems.
inline internal::v1::ChunkTask FakeTask(const model::Package& package, int channels,
                                        uint32_t seed = 1) {
  internal::v1::ChunkTask task;
  task.set_separation_id(456);
  task.set_attempt(2);
  task.set_chunk_index(3);
  task.set_try_(1);
  task.set_assembler("assembler-1");
  task.set_model(package.name);
  task.set_model_sha256(package.sha256);
  task.add_stem_indexes(0);
  task.add_stem_indexes(1);
  task.set_channels(channels);
  task.set_window_frames(package.window_frames);
  task.set_keep_frames(package.window_frames);
  task.set_mean(0);
  task.set_scale(1);
  task.set_trace_parent("00-1-2-01");
  SetSamples(Noise(static_cast<size_t>(channels * package.window_frames), seed), &task);
  return task;
}

inline std::vector<float> SamplesOf(const std::string& bytes) {
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(samples.data()));
  return samples;
}

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_UNIT_WORKER_FAKE_SEPARATOR_H_
