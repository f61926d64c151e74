#include "services/worker/pipeline.h"

#include <catch2/catch.hpp>
#include <deque>
#include <utility>

#include "tests/unit/worker/fake_executor.h"
#include "tests/unit/worker/fake_separator.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;
using Sizes = std::vector<int>;

const std::vector<int> kBoth = {0, 1};

struct Bench {
  explicit Bench(int most, int slots = 2)
      : owned(std::make_unique<FakeExecutor>(Geometry{1, kWindow, 2}, slots)),
        device(*owned),
        pipeline(std::move(owned), most,
                 [this](const absl::Status&, int windows) { failed.push_back(windows); }) {}

  // Begins a batch of windows that nobody else has.
  void Begin(int windows) {
    batches.push_back(Noise(static_cast<size_t>(windows * kWindow), ++seed));
    pipeline.Begin(batches.back(), kBoth);
  }
  absl::Status End() {
    const auto result = pipeline.End();
    const std::vector<float> batch = std::move(batches.front());
    batches.pop_front();
    if (!result.ok()) return result.status();
    CHECK(IsRight(batch, *result));
    return absl::OkStatus();
  }
  static bool IsRight(const std::vector<float>& windows, absl::Span<const float> stems) {
    if (stems.size() != 2 * windows.size()) return false;
    for (size_t i = 0; i < windows.size(); ++i) {
      const size_t place = i / kWindow * 2 * kWindow + i % kWindow;
      if (stems[place] != windows[i] || stems[place + kWindow] != 2 * windows[i]) return false;
    }
    return true;
  }
  // Keeps as many batches on their way as the pipeline likes.
  void Stream(int count, int windows) {
    for (int begun = 0; begun < count || !batches.empty();) {
      if (begun < count && batches.size() < static_cast<size_t>(pipeline.depth())) {
        Begin(windows);
        ++begun;
      } else {
        REQUIRE(End().ok());
      }
    }
  }

  std::unique_ptr<FakeExecutor> owned;  // until the pipeline has it
  FakeExecutor& device;
  Sizes failed;
  std::deque<std::vector<float>> batches;
  uint32_t seed = 0;
  Pipeline pipeline;
};

TEST_CASE("copying in and out goes on beside the computing of other batches") {
  Bench overlapping(2);
  overlapping.Stream(10, 2);
  // The first copy in, ten times the computing, the last copy out.
  CHECK(overlapping.device.now == 2 * (1 + 10 * 4 + 2));
  Bench one_by_one(2, 1);
  one_by_one.Stream(10, 2);
  CHECK(one_by_one.device.now == 2 * 10 * (1 + 4 + 2));
}

TEST_CASE("where copying is what takes longest, computing hides behind it") {
  Bench bench(1);
  bench.device.costs = {1, 2, 5, 0};
  bench.Stream(10, 1);
  CHECK(bench.device.now < 10 * (1 + 2 + 5));
}

TEST_CASE("batches end in the order in which they were begun, each with its own results") {
  Bench bench(4);
  bench.Begin(1);
  bench.Begin(3);
  CHECK(bench.End().ok());
  bench.Begin(2);
  CHECK(bench.End().ok());
  CHECK(bench.End().ok());
  CHECK(bench.device.sizes == Sizes{1, 3, 2});
}

TEST_CASE("what does not fit is computed in halves, and what fits is remembered") {
  Bench bench(8);
  bench.device.room = 2;
  bench.Begin(8);
  CHECK(bench.End().ok());
  CHECK(bench.failed == Sizes{8, 4});
  CHECK(bench.device.sizes == Sizes{2, 2, 2, 2});
  CHECK(bench.device.releases == 2);
  CHECK(bench.pipeline.windows() == 2);
  bench.Begin(2);
  bench.Begin(5);  // more than fits: nothing is tried, it goes in parts
  CHECK(bench.End().ok());
  CHECK(bench.End().ok());
  CHECK(bench.failed == Sizes{8, 4});
  CHECK(bench.device.sizes == Sizes{2, 2, 2, 2, 2, 2, 2, 1});
}

TEST_CASE("a batch that finds no room beside another waits until that one has ended") {
  Bench bench(4);
  bench.device.room = 5;
  bench.Begin(4);
  bench.Begin(3);
  bench.Begin(1);  // its turn is after the one that waits
  CHECK(bench.device.sizes == Sizes{4});
  for (int i = 0; i < 3; ++i) CHECK(bench.End().ok());
  CHECK(bench.failed == Sizes{3});
  CHECK(bench.device.sizes == Sizes{4, 1, 1, 1, 1});
}

TEST_CASE("where not even one window fits beside another, batches go one by one") {
  Bench bench(1);
  bench.device.room = 1;
  bench.Begin(1);
  bench.Begin(1);
  CHECK(bench.failed == Sizes{1});
  CHECK(bench.pipeline.depth() == 1);
  CHECK(bench.End().ok());
  CHECK(bench.End().ok());
  bench.Stream(5, 1);
  CHECK(bench.failed == Sizes{1});
}

TEST_CASE("after a lack of memory batches overlap again, though there is always one that waits") {
  Bench bench(4);
  bench.device.room = 5;
  bench.Begin(4);
  bench.Begin(3);
  CHECK(bench.End().ok());
  bench.Begin(1);
  CHECK(bench.End().ok());
  CHECK(bench.failed == Sizes{3});
  const int before = bench.device.now;
  bench.Stream(10, 1);
  CHECK(bench.device.now - before <= (1 + 10) * 4 + 1 + 2);
}

TEST_CASE(
    "what is on the device beside a batch is waited for before the batch is said not to fit") {
  Bench bench(1);
  bench.Begin(1);
  bench.Begin(1);
  bench.device.room = 1;
  bool failed = false;
  bench.device.trouble = [&failed](FakeExecutor::Step step, int, float) {
    if (step != FakeExecutor::kAwait || std::exchange(failed, true)) return absl::OkStatus();
    return absl::ResourceExhaustedError("no room");
  };
  CHECK(bench.End().ok());
  CHECK(bench.End().ok());
  CHECK(bench.failed == Sizes{1});
  CHECK(bench.device.sizes == Sizes{1, 1, 1});
}

TEST_CASE("a device without room for one window says so, and works when there is room again") {
  Bench bench(4);
  bench.device.room = 0;
  bench.Begin(4);
  const absl::Status status = bench.End();
  CHECK(status == absl::ResourceExhaustedError("no room for 1"));
  CHECK(bench.failed == Sizes{4, 2, 1});
  bench.device.room = 9;
  bench.Begin(4);
  CHECK(bench.End().ok());
}

TEST_CASE(
    "room that comes back is used again by and by, and tried for less often where it is not") {
  Bench bench(4, 1);
  bench.device.room = 2;
  bench.Stream(100, 4);  // fails once, then in two parts each
  CHECK(bench.failed == Sizes{4, 4});
  bench.device.sizes.clear();
  bench.Stream(99, 2);
  CHECK(bench.failed == Sizes{4, 4});
  bench.device.room = 9;
  bench.Stream(120, 2);
  CHECK(bench.pipeline.windows() == 4);
  bench.Begin(4);
  CHECK(bench.End().ok());
  CHECK(bench.device.sizes.back() == 4);
  CHECK(bench.failed == Sizes{4, 4});
}

TEST_CASE("memory that runs out in any step is treated alike") {
  const FakeExecutor::Step step = GENERATE(FakeExecutor::kUpload, FakeExecutor::kCompute,
                                           FakeExecutor::kDownload, FakeExecutor::kAwait);
  Bench bench(4);
  bench.device.trouble = [step](FakeExecutor::Step now, int windows, float) {
    return now == step && windows > 2 ? absl::ResourceExhaustedError("full") : absl::OkStatus();
  };
  bench.Begin(4);
  bench.Begin(2);
  CHECK(bench.End().ok());
  CHECK(bench.End().ok());
  CHECK(bench.failed == Sizes{4});
}

TEST_CASE("a batch that fails in the middle takes no other one with it") {
  const FakeExecutor::Step step = GENERATE(FakeExecutor::kUpload, FakeExecutor::kCompute,
                                           FakeExecutor::kDownload, FakeExecutor::kAwait);
  Bench bench(4);
  bench.device.trouble = [step](FakeExecutor::Step now, int windows, float) {
    return now == step && windows == 3 ? absl::InternalError("bad mood") : absl::OkStatus();
  };
  bench.Begin(4);
  bench.Begin(3);
  CHECK(bench.End().ok());
  bench.Begin(2);
  CHECK(bench.End() == absl::InternalError("bad mood"));
  CHECK(bench.End().ok());
  CHECK(bench.failed.empty());
}

TEST_CASE("what is computed at once goes between what was begun, and needs no room beside it") {
  Bench bench(4);
  bench.device.room = 2;
  bench.Begin(2);
  const std::vector<float> window = Noise(kWindow, 99);
  const auto result = bench.pipeline.Run(window, kBoth);
  REQUIRE(result.ok());
  CHECK(Bench::IsRight(window, *result));
  CHECK(bench.End().ok());
  CHECK(bench.failed.empty());
  CHECK(bench.device.sizes == Sizes{2, 1});
}

TEST_CASE("warming up finds the size that fits, and a model that takes one window only") {
  Bench bench(8);
  SECTION("all fits") {
    CHECK(bench.pipeline.WarmUp().ok());
    CHECK(bench.device.sizes == Sizes{8, 8});
    CHECK(bench.pipeline.footprint().working_bytes == 0);
  }
  SECTION("half of it fits") {
    bench.device.room = 4;
    CHECK(bench.pipeline.WarmUp().ok());
    CHECK(bench.pipeline.windows() == 4);
  }
  SECTION("nothing fits") {
    bench.device.room = 0;
    CHECK(absl::IsResourceExhausted(bench.pipeline.WarmUp()));
  }
  SECTION("a trace that has its batch written into it") {
    bench.device.trouble = [](FakeExecutor::Step, int windows, float) {
      return windows > 1 ? absl::InternalError("shape '[1, 2]' is invalid") : absl::OkStatus();
    };
    const absl::Status status = bench.pipeline.WarmUp();
    CHECK(absl::IsInvalidArgument(status));
    CHECK_THAT(std::string(status.message()),
               Contains("cannot compute 8 windows at once: shape '[1, 2]'"));
  }
}

TEST_CASE("what a model needs is that of the largest batch") {
  auto device = std::make_unique<FakeExecutor>(Geometry{1, kWindow, 2});
  device->needs = {100, 7};
  const Pipeline pipeline(std::move(device), 8, [](const absl::Status&, int) {});
  CHECK(pipeline.footprint().kept_bytes == 100);
  CHECK(pipeline.footprint().working_bytes == 56);
}

TEST_CASE("a trial that fails doubles the time until the next one") {
  BatchLimit limit(4);
  limit.OnOutOfMemory(4);
  const auto until_trial = [&limit] {
    int batches = 0;
    while (limit.now() == 2) {
      limit.OnComputed();
      ++batches;
    }
    return batches;
  };
  CHECK(until_trial() == 100);
  limit.OnOutOfMemory(4);
  CHECK(until_trial() == 200);
  limit.OnOutOfMemory(4);
  CHECK(until_trial() == 400);
  for (int i = 0; i < 400; ++i) limit.OnComputed();  // it holds: all is forgotten
  limit.OnOutOfMemory(4);
  CHECK(until_trial() == 100);
}

}  // namespace
}  // namespace unbraid::worker
