// How chunks become batches, and what device and flags say about them.
#include <catch2/catch.hpp>
#include <thread>

#include "absl/time/clock.h"
#include "services/worker/chunk_queue.h"
#include "services/worker/config.h"
#include "services/worker/device.h"
#include "services/worker/precision.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;
using Tags = std::vector<uint64_t>;

Arrival ArrivalOf(size_t model, uint64_t tag, int64_t failures = 0) {
  Arrival arrival;
  arrival.model = model;
  arrival.delivery.tag = {1, tag};
  arrival.delivery.delivery_count = failures;
  return arrival;
}

Tags TagsOf(const std::vector<Arrival>& batch) {
  Tags tags;
  for (const Arrival& arrival : batch) tags.push_back(arrival.delivery.tag.value);
  return tags;
}

constexpr absl::Duration kForEver = absl::Hours(1);

TEST_CASE("a batch that is full goes at once") {
  ChunkQueue queue;
  for (uint64_t tag = 1; tag <= 5; ++tag) queue.Push(ArrivalOf(0, tag));
  CHECK(TagsOf(queue.Pop({}, {{3}, kForEver})) == Tags{1, 2, 3});
  CHECK(TagsOf(queue.Pop({}, {{3}, absl::ZeroDuration()})) == Tags{4, 5});
}

TEST_CASE("a batch that is not full waits as long as it may, and no longer") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(0, 1));
  constexpr absl::Duration kWait = absl::Milliseconds(20);
  const absl::Time begin = absl::Now();
  CHECK(TagsOf(queue.Pop({}, {{3}, kWait})) == Tags{1});
  CHECK(absl::Now() - begin >= kWait);
}

TEST_CASE("a batch that waits goes when the last chunk for it comes") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(0, 1));
  std::vector<Arrival> batch;
  std::thread popping([&] { batch = queue.Pop({}, {{3}, kForEver}); });
  queue.Push(ArrivalOf(0, 2));
  queue.Push(ArrivalOf(0, 3));
  popping.join();
  CHECK(TagsOf(batch) == Tags{1, 2, 3});
}

TEST_CASE("a batch that waits when the queue is closed is never begun") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(0, 1));
  std::vector<Arrival> batch(1);
  std::thread popping([&] { batch = queue.Pop({}, {{3}, kForEver}); });
  queue.Close();
  popping.join();
  CHECK(batch.empty());
  CHECK(TagsOf(queue.TakeAll()) == Tags{1});
}

TEST_CASE("chunks of another model wait for a batch of their own") {
  ChunkQueue queue;
  for (uint64_t tag = 1; tag <= 6; ++tag) queue.Push(ArrivalOf(tag % 2, tag));
  const BatchRule rule = {{8, 2}, absl::ZeroDuration()};
  CHECK(TagsOf(queue.Pop({}, rule)) == Tags{1, 3});
  CHECK(TagsOf(queue.Pop({}, rule)) == Tags{2, 4, 6});
  CHECK(TagsOf(queue.Pop({}, rule)) == Tags{5});
}

TEST_CASE("a chunk whose delivery has failed is alone in its batch") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(0, 1, 1));
  queue.Push(ArrivalOf(0, 2, 1));
  queue.Push(ArrivalOf(0, 3));
  queue.Push(ArrivalOf(0, 4));
  const BatchRule rule = {{8}, absl::ZeroDuration()};
  CHECK(TagsOf(queue.Pop({}, rule)) == Tags{3, 4});
  CHECK(TagsOf(queue.Pop({}, {{8}, kForEver})) == Tags{2});
  CHECK(TagsOf(queue.Pop({}, {{8}, kForEver})) == Tags{1});
}

TEST_CASE("beside a batch that is computed nothing is waited for") {
  ChunkQueue queue;
  const BatchRule rule = {{2}, kForEver, /*at_once=*/true};
  CHECK(queue.Pop({}, rule).empty());
  queue.Push(ArrivalOf(0, 1, 1));  // would wait for company
  CHECK(queue.Pop({}, rule).empty());
  queue.Push(ArrivalOf(0, 2));  // would wait for a second one
  CHECK(queue.Pop({}, rule).empty());
  queue.Push(ArrivalOf(0, 3));
  CHECK(TagsOf(queue.Pop({}, rule)) == Tags{2, 3});
}

TEST_CASE("a batch that is not full has waited while another one was computed") {
  ChunkQueue queue;
  queue.Push(ArrivalOf(0, 1));
  constexpr absl::Duration kWait = absl::Milliseconds(20);
  absl::SleepFor(kWait);
  CHECK(TagsOf(queue.Pop({}, {{3}, kWait, /*at_once=*/true})) == Tags{1});
}

TEST_CASE("a pause ends early when the queue is closed") {
  ChunkQueue queue;
  CHECK_FALSE(queue.AwaitClosed(absl::ZeroDuration()));
  std::thread closing([&] { queue.Close(); });
  CHECK(queue.AwaitClosed(kForEver));
  closing.join();
}

TEST_CASE("a device is named cpu, cuda or cuda:N, and nothing else") {
  CHECK(ParseDevice("cpu")->ToString() == "cpu");
  CHECK_FALSE(ParseDevice("cpu")->cuda());
  CHECK(ParseDevice("cuda")->ToString() == "cuda:0");
  CHECK(ParseDevice("cuda:12")->ToString() == "cuda:12");
  for (const char* wrong :
       {"", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda: 1", "cuda:1x", "cuda:99999999999", "cpu:0"}) {
    CAPTURE(wrong);
    CHECK_THAT(std::string(ParseDevice(wrong).status().message()),
               Contains("--device must be cpu, cuda (the first GPU), or cuda:N"));
  }
}

TEST_CASE("a precision is f32 or bf16, and nothing else") {
  CHECK(*ParsePrecision("f32") == Precision::kFloat32);
  CHECK(*ParsePrecision("bf16") == Precision::kBfloat16);
  for (const char* wrong : {"", "f16", "BF16", "bf16 "}) {
    CHECK_THAT(std::string(ParsePrecision(wrong).status().message()),
               Contains("--precision must be f32 or bf16"));
  }
}

TEST_CASE("what a GPU's runtime says is a lack of memory, a lost device, or the model's fault") {
  // Words of libtorch and of the libraries below it.
  for (const char* lack :
       {"CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 23.65 GiB total capacity)",
        "The following operation failed in the TorchScript interpreter.\nTraceback\nRuntimeError: "
        "CUDA out of memory. Tried to allocate 20.00 MiB",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED", "cuFFT error: CUFFT_ALLOC_FAILED"}) {
    CAPTURE(lack);
    CHECK(StatusOfGpuFailure(lack) == absl::ResourceExhaustedError(lack));
  }
  for (const char* loss :
       {"CUDA error: an illegal memory access was encountered",
        "CUDA error: device-side assert triggered", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"}) {
    CAPTURE(loss);
    CHECK(StatusOfGpuFailure(loss) == absl::UnavailableError(loss));
  }
  CHECK(absl::IsInternal(StatusOfGpuFailure("this model is in a bad mood")));
}

// The configuration that these flags give, or the exit status.
std::optional<int> Parse(std::vector<const char*> flags, Config* config) {
  flags.insert(flags.begin(), {"unbraid-worker", "--models", "/models"});
  return ParseConfig(static_cast<int>(flags.size()), const_cast<char**>(flags.data()), config);
}

TEST_CASE("a batch is one chunk on the CPU and several on a GPU, unless a flag says otherwise") {
  Config config;
  SECTION("CPU") {
    CHECK_FALSE(Parse({}, &config).has_value());
    CHECK(config.device == "cpu");
    CHECK(config.batch == 1);
    CHECK(config.batch_wait == absl::Milliseconds(50));
  }
  SECTION("GPU") {
    CHECK_FALSE(Parse({"--device", "cuda:1"}, &config).has_value());
    CHECK(config.batch == 8);
  }
  SECTION("a flag") {
    CHECK_FALSE(Parse({"--batch", "4", "--batch-wait", "2s"}, &config).has_value());
    CHECK(config.batch == 4);
    CHECK(config.batch_wait == absl::Seconds(2));
  }
}

TEST_CASE("what makes no sense of device and batch is refused with exit status 2") {
  Config config;
  const std::vector<const char*> flags = GENERATE(
      std::vector<const char*>{"--device", "gpu"}, std::vector<const char*>{"--batch", "-1"},
      std::vector<const char*>{"--batch", "257"}, std::vector<const char*>{"--batch-wait", "11s"});
  CHECK(Parse(flags, &config) == 2);
}

}  // namespace
}  // namespace unbraid::worker
