#include <catch2/catch.hpp>
#include <filesystem>

#include "services/common/samples/beside.h"
#include "services/common/store/files.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/worker/loop_bench.h"

// Samples that lie beside their messages, as the worker takes and leaves them.

namespace unbraid::worker {
namespace {

using Catch::Contains;
using internal::v1::ChunkResult;
using internal::v1::ChunkTask;

struct Fixture {
  Fixture() {
    plain = FakeTask(bench.package, 2);
    task = plain;
    const samples::Owner owner{task.assembler(), base::SeparationId(task.separation_id()),
                               task.attempt()};
    REQUIRE(samples::LayAside(folder, owner, &task).ok());
  }
  bool TaskLies() const {
    std::string bytes;
    const auto& object = task.samples_object();
    return folder.Read(object.uri(), object.size_bytes(), &bytes).ok();
  }
  ChunkResult Result(size_t i) const {
    ChunkResult result;
    REQUIRE(result.ParseFromString(bench.broker.published.at(i).result.body));
    return result;
  }
  void ConfirmAll() {
    for (const auto& published : bench.broker.published) published.done(absl::OkStatus());
  }
  // So that nothing can be written to it.
  void BlockFolder() {
    REQUIRE(store::RemoveAll(folder.path()).ok());
    REQUIRE(store::WriteFileDurably(folder.path(), "in the way").ok());
  }

  test_support::TempDir dir;
  store::ObjectFolder folder = *store::ObjectFolder::Open(dir.path() + "/objects");
  LoopBench bench{&folder};
  ChunkTask plain;
  ChunkTask task;  // the same, its samples laid aside
};

}  // namespace

TEST_CASE_METHOD(Fixture, "results lie where the samples of their task did") {
  CHECK(task.samples().empty());
  bench.Push(11, task.SerializeAsString());
  bench.Run();
  REQUIRE(bench.broker.published.size() == 2);
  CHECK(bench.broker.published[0].result.body.size() < 400);
  for (size_t i = 0; i < 2; ++i) {
    ChunkResult result = Result(i);
    CHECK(result.stem().samples().empty());
    REQUIRE(samples::Fetch(&folder, result.mutable_stem()).ok());
    CHECK(result.stem().samples_crc32c() == base::Crc32c(result.stem().samples()));
    if (i == 0) CHECK(result.stem().samples() == plain.samples());
  }
  CHECK_THAT(bench.figures.Render(), Contains("result=\"computed\"} 1"));
}

TEST_CASE_METHOD(Fixture, "a task's samples go when its results are confirmed, and not before") {
  bench.Push(11, task.SerializeAsString());
  bench.Run();
  CHECK(TaskLies());
  SECTION("confirmed") {
    ConfirmAll();
    CHECK(bench.broker.acked == Tags{11});
    CHECK_FALSE(TaskLies());
  }
  SECTION("given back: somebody else needs them") {
    bench.broker.published[0].done(absl::OkStatus());
    bench.broker.published[1].done(absl::UnavailableError("no queue takes it"));
    CHECK(bench.broker.requeued == Tags{11});
    CHECK(TaskLies());
  }
}

TEST_CASE_METHOD(Fixture, "a task that carries its samples is answered with results that do") {
  bench.Push(11, plain.SerializeAsString());
  bench.Run();
  CHECK_FALSE(Result(0).stem().has_samples_object());
  CHECK(Result(0).stem().samples() == plain.samples());
}

TEST_CASE_METHOD(Fixture, "results that find no room beside travel in their messages") {
  bench.separator->before = [this] {
    BlockFolder();
    bench.queue.Close();
  };
  bench.Push(11, task.SerializeAsString());
  CHECK(bench.loop.Run().ok());
  REQUIRE(bench.broker.published.size() == 2);
  CHECK_FALSE(Result(0).stem().has_samples_object());
  CHECK(Result(0).stem().samples() == plain.samples());
  CHECK_FALSE(Result(1).stem().samples().empty());
}

TEST_CASE_METHOD(Fixture, "a chunk whose samples are gone is a failure") {
  folder.Remove(task.samples_object().uri());
  bench.Push(1, task.SerializeAsString());
  bench.Push(2, plain.SerializeAsString());
  bench.Run();
  REQUIRE(bench.broker.published.size() == 3);
  const ChunkResult result = Result(0);
  CHECK(result.failure().reason() == "SAMPLES_MISSING");
  CHECK_THAT(result.failure().message(), Contains("--object-folder"));
  CHECK_THAT(result.failure().message(), !Contains(dir.path()));
  CHECK_THAT(bench.figures.Render(), Contains("result=\"SAMPLES_MISSING\"} 1"));
}

TEST_CASE_METHOD(Fixture, "results that no queue wanted are not left behind") {
  bench.Push(11, task.SerializeAsString());
  bench.Run();
  ChunkResult returned = Result(0);
  ChunkResult unknown = Result(1);
  bench.broker.published[0].done(absl::UnavailableError("no queue takes it"));
  bench.broker.published[1].done(absl::CancelledError("who knows"));
  CHECK_FALSE(samples::Fetch(&folder, returned.mutable_stem()).ok());
  CHECK(samples::Fetch(&folder, unknown.mutable_stem()).ok());
}

TEST_CASE_METHOD(Fixture, "samples that were damaged are a failure") {
  REQUIRE(store::RemoveAll(folder.path() + "/assembler-1").ok());
  const std::string uri = task.samples_object().uri();
  const std::string path = folder.path() + "/" + uri.substr(uri.find(':') + 1);
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  SECTION("another size") {
    REQUIRE(store::WriteFileDurably(path, "short").ok());
    bench.Push(1, task.SerializeAsString());
    bench.Push(2, plain.SerializeAsString());
    bench.Run();
    CHECK(Result(0).failure().reason() == "SAMPLES_MISSING");
  }
  SECTION("other bytes") {
    REQUIRE(store::WriteFileDurably(path, std::string(plain.samples().size(), 'x')).ok());
    bench.Push(1, task.SerializeAsString());
    bench.Push(2, plain.SerializeAsString());
    bench.Run();
    CHECK(Result(0).failure().reason() == "BAD_CHECKSUM");
  }
}

TEST_CASE_METHOD(Fixture, "the samples of a separation that has ended go with its task") {
  bench.cancelled.Add(base::SeparationId(task.separation_id()), task.attempt());
  ChunkTask other = plain;
  other.set_attempt(task.attempt() + 1);
  bench.Push(1, task.SerializeAsString());
  bench.Push(2, other.SerializeAsString());
  bench.Run();
  CHECK(bench.broker.acked == Tags{1});
  CHECK_FALSE(TaskLies());
}

TEST_CASE_METHOD(Fixture, "a worker without the folder says so") {
  LoopBench without;
  without.Push(1, task.SerializeAsString());
  without.Push(2, plain.SerializeAsString());
  without.Run();
  ChunkResult result;
  REQUIRE(result.ParseFromString(without.broker.published.at(0).result.body));
  CHECK(result.failure().reason() == "SAMPLES_MISSING");
}

}  // namespace unbraid::worker
