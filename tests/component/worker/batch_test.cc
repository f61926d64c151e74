// Whole tasks in batches, through real graphs on the CPU.
#include <catch2/catch.hpp>
#include <cmath>

#include "services/common/base/crc32c.h"
#include "services/worker/chunk_processor.h"
#include "services/worker/torch/torch_device.h"
#include "tests/component/worker/separators.h"

namespace unbraid::worker {
namespace {

using internal::v1::ChunkTask;

// A processor as a worker has it.
class Processor {
 public:
  Processor(const std::string& model, int batch) : package_(TestPackage(model)) {
    auto executor = OpenDevice(DeviceName(), 1)->load(package_);
    REQUIRE(executor.ok());
    pipeline_ =
        std::make_unique<Pipeline>(*std::move(executor), batch * MostWindowsOfChunk(package_),
                                   [](const absl::Status&, int) {});
    REQUIRE(pipeline_->WarmUp().ok());
    processor_ = std::make_unique<ChunkProcessor>(
        *ChunkProcessor::Create("worker-1", &package_, pipeline_.get()));
  }

  // A chunk whose window begins with `first`.
  ChunkTask Task(int64_t separation, int channels, float first) const {
    ChunkTask task;
    task.set_separation_id(separation);
    task.set_assembler("assembler-1");
    task.set_model(package_.name);
    task.set_model_sha256(package_.sha256);
    for (int stem = 0; stem < 2; ++stem) task.add_stem_indexes(stem);
    task.set_channels(channels);
    task.set_window_frames(package_.window_frames);
    task.set_keep_frames(package_.window_frames);
    task.set_mean(0.01 * static_cast<double>(separation));
    task.set_scale(0.5);
    std::vector<float> samples = Noise(static_cast<size_t>(channels * package_.window_frames),
                                       static_cast<uint32_t>(separation));
    samples[0] = first;
    task.set_samples(samples.data(), samples.size() * sizeof(float));
    task.set_samples_crc32c(base::Crc32c(task.samples()));
    return task;
  }

  std::vector<ChunkProcessor::Results> Process(const std::vector<ChunkTask>& tasks) {
    processor_->Begin(tasks);
    const auto results = processor_->End();
    REQUIRE(results.ok());
    return *results;
  }

 private:
  const model::Package package_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<ChunkProcessor> processor_;
};

std::vector<float> SamplesOf(const internal::v1::ChunkResult& result) {
  const std::string& bytes = result.stem().samples();
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(samples.data()));
  return samples;
}

void CheckNear(const internal::v1::ChunkResult& one, const internal::v1::ChunkResult& other) {
  const std::vector<float> left = SamplesOf(one);
  const std::vector<float> right = SamplesOf(other);
  REQUIRE(left.size() == right.size());
  for (size_t i = 0; i < left.size(); ++i) {
    if (!(std::abs(left[i] - right[i]) <= 1e-6F)) FAIL("sample " << i);
  }
}

TEST_CASE("a batch of four gives what four chunks give, mono and stereo, of several separations") {
  const std::string model = GENERATE("conv", "mono", "several");
  Processor one(model, 1);
  Processor four(model, 4);
  std::vector<ChunkTask> tasks;
  for (int64_t separation = 1; separation <= 4; ++separation) {
    tasks.push_back(one.Task(separation, separation % 2 == 0 ? 1 : 2, 0.5F));
  }
  tasks[2].clear_stem_indexes();
  tasks[2].add_stem_indexes(1);
  const auto together = four.Process(tasks);
  REQUIRE(together.size() == 4);
  for (size_t i = 0; i < tasks.size(); ++i) {
    const auto alone = one.Process({tasks[i]}).front();
    REQUIRE(together[i].size() == alone.size());
    for (size_t stem = 0; stem < alone.size(); ++stem) CheckNear(together[i][stem], alone[stem]);
  }
}

TEST_CASE("a chunk at which a real graph fails takes no other of its batch with it") {
  Processor four("moody", 4);
  // The first one of a batch decides its mood; normalised, -4 is -8 and some.
  std::vector<ChunkTask> tasks;
  for (int64_t separation = 1; separation <= 4; ++separation) {
    tasks.push_back(four.Task(separation, 2, 0.25F));
  }
  tasks[0].set_mean(0);
  const float bad = GENERATE(-4.0F, -8.0F);  // an exception, and results that are not finite
  std::vector<float> samples = Noise(static_cast<size_t>(2 * tasks[0].window_frames()), 1);
  samples[0] = bad;
  tasks[0].set_samples(samples.data(), samples.size() * sizeof(float));
  tasks[0].set_samples_crc32c(base::Crc32c(tasks[0].samples()));
  const auto results = four.Process(tasks);
  CHECK(results[0].front().failure().reason() ==
        (bad == -4.0F ? "MODEL_ERROR" : "NON_FINITE_RESULT"));
  if (bad != -4.0F) return;
  for (size_t i = 1; i < results.size(); ++i) {
    REQUIRE(results[i].size() == 2);
    CHECK(SamplesOf(results[i][0]).size() == static_cast<size_t>(2 * tasks[i].keep_frames()));
  }
}

}  // namespace
}  // namespace unbraid::worker
