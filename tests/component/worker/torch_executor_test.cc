// What the GPU path does with libtorch, on the CPU: everything but the calls of CUDA.
#include <catch2/catch.hpp>

#include "services/worker/pipeline.h"
#include "services/worker/torch/torch_device.h"
#include "tests/component/worker/host_lanes.h"
#include "tests/component/worker/separators.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;
using Log = std::vector<std::string>;

struct Bench {
  explicit Bench(const std::string& model) : package(TestPackage(model)) {
    auto loaded = LoadOnHostLanes(package, &book);
    INFO(loaded.status());
    REQUIRE(loaded.ok());
    executor = *std::move(loaded);
    book.log.clear();
  }

  absl::Status Begin(int slot, const std::vector<float>& windows, const std::vector<int>& wanted) {
    absl::Status status = executor->Upload(slot, windows);
    if (status.ok()) status = executor->Compute(slot, wanted);
    if (status.ok()) status = executor->Download(slot);
    return status;
  }
  std::vector<float> Await(int slot) {
    const auto stems = executor->Await(slot);
    REQUIRE(stems.ok());
    return {stems->begin(), stems->end()};
  }
  size_t samples() const { return executor->geometry().window_samples(); }

  HostLanesBook book;
  model::Package package;
  std::unique_ptr<Executor> executor;
};

TEST_CASE("two batches on a device at a time give what the CPU gives, of every kind of package") {
  const std::string model = GENERATE("moody", "mono", "several", "conv");
  Bench bench(model);
  const std::unique_ptr<Separator> separator = LoadTestModel(model);
  const std::vector<int> all = AllStems(*separator);
  // Sizes that grow, so that buffers do as well, and shrink, so that old samples lie behind.
  const std::vector<size_t> sizes = {1, 3, 2, 4, 1};
  std::vector<std::vector<float>> batches;
  for (const size_t size : sizes) {
    batches.push_back(Noise(size * bench.samples(), static_cast<uint32_t>(batches.size() + 1)));
  }
  REQUIRE(bench.Begin(0, batches[0], all).ok());
  for (size_t i = 0; i < batches.size(); ++i) {
    if (i + 1 < batches.size()) {
      REQUIRE(bench.Begin(static_cast<int>((i + 1) % 2), batches[i + 1], all).ok());
    }
    std::vector<float> expected;
    REQUIRE(separator->Separate(batches[i], all, &expected).ok());
    CHECK(bench.Await(static_cast<int>(i % 2)) == expected);
  }
}

TEST_CASE("each step follows the one before it in the slot, and nothing else") {
  Bench bench("moody");
  const std::vector<float> window = Noise(bench.samples());
  REQUIRE(bench.Begin(1, window, {0, 1}).ok());
  bench.Await(1);
  CHECK(bench.book.log == Log{"await upload 1", "await download 1", "upload follows compute 1",
                              "use upload", "mark upload 1", "compute follows upload 1",
                              "use compute", "mark compute 1", "download follows compute 1",
                              "use download", "mark download 1", "await download 1"});
}

TEST_CASE("a new buffer of the device is written to only when its memory is free") {
  Bench bench("moody");
  const std::vector<float> windows = Noise(2 * bench.samples());
  REQUIRE(bench.executor->Upload(0, windows).ok());
  CHECK(bench.book.log == Log{"await upload 0", "await download 0", "use compute", "mark compute 0",
                              "upload follows compute 0", "use upload", "mark upload 0"});
}

TEST_CASE("on a device, too, a graph is run only for a stem that it makes") {
  Bench bench("several");
  std::vector<float> window = Noise(bench.samples());
  window[0] = -8.0F;  // the graph of the first and the last stem fails at this
  REQUIRE(bench.Begin(0, window, {1}).ok());
  CHECK(bench.Await(0)[window.size()] == -32.0F);
  const absl::Status status = bench.Begin(0, window, {2});
  CHECK(absl::IsInternal(status));
  CHECK_THAT(std::string(status.message()), Contains("this model is in a bad mood"));
  window[0] = 0.5F;
  REQUIRE(bench.Begin(0, window, {2}).ok());
  CHECK(bench.Await(0)[2 * window.size()] == 0.375F);
}

TEST_CASE("a lack of the device's memory is told as such, and smaller batches do") {
  Bench bench("conv");
  bench.book.most_samples = static_cast<int64_t>(3 * bench.samples());
  const std::vector<float> windows = Noise(4 * bench.samples());
  CHECK(absl::IsResourceExhausted(bench.executor->Upload(0, windows)));
  std::vector<float> expected;
  const std::unique_ptr<Separator> separator = LoadTestModel("conv");
  const std::vector<int> all = AllStems(*separator);
  REQUIRE(separator->Separate(windows, all, &expected).ok());

  int failed = 0;
  Pipeline pipeline(std::move(bench.executor), 4, [&](const absl::Status&, int) { ++failed; });
  pipeline.Begin(windows, all);
  const auto stems = pipeline.End();
  REQUIRE(stems.ok());
  CHECK(failed == 2);  // four windows, and two, whose stems are four again
  for (size_t i = 0; i < expected.size(); ++i) {
    if (std::abs((*stems)[i] - expected[i]) > 1e-6F) FAIL("sample " << i);
  }
}

TEST_CASE("a package that was traced on another device runs here") {
  Bench bench("foreign");
  const std::vector<float> window = Noise(bench.samples());
  REQUIRE(bench.Begin(0, window, {0, 1}).ok());
  const std::vector<float> stems = bench.Await(0);
  CHECK(stems[5] == 0.25F * window[5]);
  CHECK(stems[window.size() + 5] == 0.75F * window[5]);
  std::vector<float> on_cpu;
  REQUIRE(LoadTestModel("foreign")->Separate(window, {0, 1}, &on_cpu).ok());
  CHECK(on_cpu == stems);
}

TEST_CASE("on a device, too, a graph that gives something else than the package says is refused") {
  HostLanesBook book;
  const auto executor = LoadOnHostLanes(TestPackage("wrong_shape"), &book);
  CHECK(absl::IsInvalidArgument(executor.status()));
  CHECK_THAT(std::string(executor.status().message()), Contains("[1, 2, 2, 4095]"));
}

TEST_CASE("a GPU that is not there is an error that says what there is, never the CPU instead") {
  CHECK(OpenDevice(*ParseDevice("cpu"), 1).ok());
  const absl::Status status = OpenDevice(*ParseDevice("cuda:1000"), 1).status();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK_THAT(std::string(status.message()),
             Contains("--device cuda:1000: ") &&
                 (Contains("there is only --device cpu") || Contains("libtorch sees")));
}

}  // namespace
}  // namespace unbraid::worker
