#include "services/worker/chunk_processor.h"

#include <catch2/catch.hpp>
#include <limits>

#include "absl/time/clock.h"
#include "services/worker/task_check.h"
#include "tests/unit/worker/fake_separator.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;
using internal::v1::ChunkFailure;
using internal::v1::ChunkResult;
using internal::v1::ChunkTask;

struct Bench {
  explicit Bench(int channels = 2)
      : package(FakePackage(channels)),
        owned(std::make_unique<FakeSeparator>(SeparatorFor(package))),
        separator(*owned),
        pipeline(PipelineOf(std::move(owned), 8)),
        processor(*ChunkProcessor::Create("worker-1", &package, &pipeline)) {}

  std::vector<ChunkProcessor::Results> Process(const std::vector<ChunkTask>& tasks) {
    processor.Begin(tasks);
    const auto results = processor.End();
    REQUIRE(results.ok());
    return *results;
  }
  std::vector<ChunkResult> Process(const ChunkTask& task) { return Process(std::vector{task})[0]; }
  ChunkFailure FailureOf(const ChunkTask& task) {
    const std::vector<ChunkResult> results = Process(task);
    REQUIRE(results.size() == 1);
    REQUIRE(results[0].has_failure());
    CHECK(results[0].separation_id() == 456);
    CHECK(results[0].chunk_index() == 3);
    return results[0].failure();
  }

  model::Package package;
  std::unique_ptr<FakeSeparator> owned;  // until the pipeline has it
  FakeSeparator& separator;
  Pipeline pipeline;
  ChunkProcessor processor;
};

TEST_CASE("the model is asked for the stems that the tasks of a batch want, and no others") {
  Bench bench;
  std::vector<ChunkTask> tasks = {FakeTask(bench.package, 2), FakeTask(bench.package, 2)};
  for (ChunkTask& task : tasks) task.clear_stem_indexes();
  tasks[0].add_stem_indexes(1);
  tasks[1].add_stem_indexes(1);
  bench.Process(tasks);
  CHECK(bench.separator.wanted == std::vector<int>{1});
  tasks[0].set_stem_indexes(0, 0);
  CHECK(bench.Process(tasks)[0].front().stem().stem_index() == 0);
  CHECK(bench.separator.wanted == std::vector<int>{0, 1});
  tasks[0].set_samples_crc32c(1);  // a task that is refused wants nothing
  bench.Process(tasks);
  CHECK(bench.separator.wanted == std::vector<int>{1});
}

TEST_CASE("a separator whose geometry is not the package's is refused") {
  const model::Package package = FakePackage(2);
  Pipeline pipeline = PipelineOf(std::make_unique<FakeSeparator>(Geometry{1, kWindow, 2}), 1);
  const auto processor = ChunkProcessor::Create("worker-1", &package, &pipeline);
  CHECK(processor.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(processor.status().message()), Contains("model fake does not have"));
}

TEST_CASE("a task gives one result for each wanted stem, in the task's order") {
  Bench bench;
  ChunkTask task = FakeTask(bench.package, 2);
  task.clear_stem_indexes();
  task.add_stem_indexes(1);
  task.add_stem_indexes(0);
  const std::vector<ChunkResult> results = bench.Process(task);
  REQUIRE(results.size() == 2);
  CHECK(results[0].stem().stem_index() == 1);
  CHECK(results[1].stem().stem_index() == 0);
  for (const ChunkResult& result : results) {
    CHECK(result.separation_id() == 456);
    CHECK(result.attempt() == 2);
    CHECK(result.chunk_index() == 3);
    CHECK(result.try_() == 1);
    CHECK(result.worker() == "worker-1");
    CHECK(result.trace_parent() == "00-1-2-01");
    CHECK(result.stem().channels() == 2);
    CHECK(result.stem().frames() == kWindow);
    CHECK(result.stem().samples_crc32c() == base::Crc32c(result.stem().samples()));
  }
  CHECK(results[1].stem().samples() == task.samples());
}

TEST_CASE("Case 7: a wanted subset of the stems is the only thing that is sent") {
  Bench bench;
  ChunkTask task = FakeTask(bench.package, 2);
  task.clear_stem_indexes();
  task.add_stem_indexes(1);
  const std::vector<ChunkResult> results = bench.Process(task);
  REQUIRE(results.size() == 1);
  CHECK(results[0].stem().stem_index() == 1);
}

TEST_CASE("only the kept frames of each channel are sent") {
  Bench bench;
  ChunkTask task = FakeTask(bench.package, 2);
  task.set_keep_offset(5);
  task.set_keep_frames(4);
  const std::vector<float> in = SamplesOf(task.samples());
  const std::vector<float> kept = SamplesOf(bench.Process(task)[0].stem().samples());
  CHECK(kept == std::vector<float>{in[5], in[6], in[7], in[8], in[21], in[22], in[23], in[24]});
}

TEST_CASE("a task for another model, or another build of it, is a mismatch") {
  Bench bench;
  ChunkTask task = FakeTask(bench.package, 2);
  SECTION("name") { task.set_model("other"); }
  SECTION("hash") { task.set_model_sha256(std::string(64, 'b')); }
  const ChunkFailure failure = bench.FailureOf(task);
  CHECK(failure.reason() == "MODEL_MISMATCH");
  CHECK_THAT(failure.message(), Contains("this worker has fake with " + std::string(64, 'a')));
  CHECK(bench.separator.batch == 0);
}

TEST_CASE("samples that were damaged on the way are told by their checksum") {
  Bench bench;
  ChunkTask task = FakeTask(bench.package, 2);
  task.mutable_samples()->at(7) ^= 1;
  const ChunkFailure failure = bench.FailureOf(task);
  CHECK(failure.reason() == "BAD_CHECKSUM");
  CHECK_THAT(failure.message(), Contains("have CRC32C"));
}

TEST_CASE("a task that contradicts itself or the model is refused with the rule") {
  Bench bench;
  ChunkTask task = FakeTask(bench.package, 2);
  std::string words;
  SECTION("no channel") {
    task.set_channels(0);
    words = "0 channels";
  }
  SECTION("too many channels") {
    task.set_channels(3);
    words = "3 channels";
  }
  SECTION("another window") {
    task.set_window_frames(kWindow + 1);
    words = "a window of 17 frames; the model takes 16";
  }
  SECTION("too few samples") {
    SetSamples(Noise(kWindow, 1), &task);
    words = "64 bytes of samples; its window has 128";
  }
  SECTION("nothing kept") {
    task.set_keep_frames(0);
    words = "keeps 0 frames";
  }
  SECTION("kept before the window") {
    task.set_keep_offset(-1);
    words = "from frame -1";
  }
  SECTION("kept beyond the window") {
    task.set_keep_offset(1);
    words = "keeps 16 frames from frame 1; its window has 16";
  }
  SECTION("kept far beyond the window") {
    task.set_keep_offset(std::numeric_limits<int64_t>::max());
    task.set_keep_frames(std::numeric_limits<int64_t>::max());
    words = "its window has 16";
  }
  SECTION("a track before the window") {
    task.set_track_offset(-1);
    words = "the track begins at frame -1 of the task's window, which has 16";
  }
  SECTION("a track beyond the window") {
    task.set_track_offset(17);
    words = "the track begins at frame 17 of the task's window, which has 16";
  }
  SECTION("no stem") {
    task.clear_stem_indexes();
    words = "wants no stem";
  }
  SECTION("a stem that the model lacks") {
    task.add_stem_indexes(2);
    words = "wants stem 2; the model has 2";
  }
  SECTION("a negative stem") {
    task.add_stem_indexes(-1);
    words = "wants stem -1";
  }
  SECTION("a stem twice") {
    task.add_stem_indexes(1);
    words = "wants stem 1 twice";
  }
  SECTION("a negative chunk") {
    task.set_chunk_index(-3);
    const auto results = bench.Process(task);
    REQUIRE(results[0].failure().reason() == "BAD_TASK");
    CHECK_THAT(results[0].failure().message(), Contains("chunk -3"));
    return;
  }
  SECTION("scale 0") {
    task.set_scale(0);
    words = "scale 0";
  }
  SECTION("scale not a number") {
    task.set_scale(std::numeric_limits<double>::quiet_NaN());
    words = "scale nan";
  }
  SECTION("mean infinite") {
    task.set_mean(std::numeric_limits<double>::infinity());
    words = "mean inf";
  }
  const ChunkFailure failure = bench.FailureOf(task);
  CHECK(failure.reason() == "BAD_TASK");
  CHECK_THAT(failure.message(), Contains(words));
  CHECK(bench.separator.batch == 0);
}

TEST_CASE("a model that fails is a failure with its own words") {
  Bench bench;
  bench.separator.status = absl::InternalError("out of cheese");
  const ChunkFailure failure = bench.FailureOf(FakeTask(bench.package, 2));
  CHECK(failure.reason() == "MODEL_ERROR");
  CHECK(failure.message() == "out of cheese");
}

TEST_CASE("Case 14: a result that is not finite is never sent") {
  Bench bench;
  const float bad =
      GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  const ChunkTask task = FakeTask(bench.package, 2);
  const float victim = SamplesOf(task.samples())[kWindow + 6];
  bench.separator.transform = [=](float sample, int stem) {
    return stem == 1 && sample == victim ? bad : sample;
  };
  const ChunkFailure failure = bench.FailureOf(task);
  CHECK(failure.reason() == "NON_FINITE_RESULT");
  CHECK_THAT(failure.message(), Contains("for stem rest at kept frame 6"));
}

TEST_CASE("what is not finite but not kept either does no harm") {
  Bench bench;
  ChunkTask task = FakeTask(bench.package, 2);
  task.set_keep_frames(6);
  const float victim = SamplesOf(task.samples())[6];
  bench.separator.transform = [=](float sample, int) {
    return sample == victim ? std::numeric_limits<float>::quiet_NaN() : sample;
  };
  CHECK(bench.Process(task).size() == 2);
}

TEST_CASE("Case 1: a chunk's result does not depend on what shares its batch") {
  Bench bench;
  std::vector<ChunkTask> tasks = {FakeTask(bench.package, 2, 1), FakeTask(bench.package, 1, 2),
                                  FakeTask(bench.package, 2, 3)};
  const auto together = bench.Process(tasks);
  CHECK(bench.separator.batch == 3);
  REQUIRE(together.size() == 3);
  for (size_t i = 0; i < tasks.size(); ++i) {
    const auto alone = bench.Process(tasks[i]);
    REQUIRE(together[i].size() == alone.size());
    for (size_t stem = 0; stem < alone.size(); ++stem) {
      CHECK(together[i][stem].stem().samples() == alone[stem].stem().samples());
    }
  }
}

TEST_CASE("a wrong task fails alone, the others of its batch are computed") {
  Bench bench;
  std::vector<ChunkTask> tasks = {FakeTask(bench.package, 2, 1), FakeTask(bench.package, 2, 2),
                                  FakeTask(bench.package, 2, 3)};
  tasks[1].set_samples_crc32c(tasks[1].samples_crc32c() + 1);
  const auto results = bench.Process(tasks);
  CHECK(bench.separator.batch == 2);
  CHECK(results[0][0].stem().samples() == tasks[0].samples());
  CHECK(results[1][0].failure().reason() == "BAD_CHECKSUM");
  CHECK(results[2][0].stem().samples() == tasks[2].samples());
}

TEST_CASE("the time of a batch is shared by its chunks") {
  Bench bench;
  bench.separator.before = [] { absl::SleepFor(absl::Milliseconds(20)); };
  const std::vector<ChunkTask> tasks(4, FakeTask(bench.package, 2));
  const auto results = bench.Process(tasks);
  CHECK(results[0][0].compute_seconds() >= 0.005);
  CHECK(results[0][0].compute_seconds() == results[3][1].compute_seconds());
}

}  // namespace
}  // namespace unbraid::worker
