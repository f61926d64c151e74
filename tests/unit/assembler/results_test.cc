#include <catch2/catch.hpp>
#include <filesystem>

#include "absl/time/clock.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;

// Value of a counter in the text that Prometheus scrapes.
std::string Figure(const telemetry::Metrics& metrics, const std::string& name) {
  const std::string text = metrics.Render();
  const size_t at = text.find("\n" + name + " ");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 2;
  return text.substr(begin, text.find('\n', begin) - begin);
}

struct Fixture {
  Fixture() { bench.Begin(song); }
  v1::ListChunksResponse Chunks() {
    v1::ListChunksRequest request;
    request.set_parent(base::SeparationName(song.separation_id()));
    return *bench.On([&](Engine& e) { return e.ListChunks(kOwner, request); });
  }

  Song song;
  test_support::TempDir folder;
  Bench bench{folder.path()};
};

}  // namespace

TEST_CASE("a result is on the disk and recorded when it may be acknowledged") {
  Fixture f;
  REQUIRE(f.bench.Send(f.song.Samples(2, 3)).ok());
  CHECK(ReadAll(f.bench.PathOf(f.song, "chunks/2.3")).size() == 64U * 2 * sizeof(float));
  const auto chunks = f.Chunks();
  CHECK(chunks.chunks(2).state() == v1::Chunk::STATE_PARTIAL);
  CHECK(chunks.chunks(2).worker() == "worker-1");
  CHECK(chunks.chunks(2).result_bytes() == 64 * 2 * 4);
  CHECK(chunks.chunks(2).compute_time().nanos() == 500'000'000);
  CHECK(chunks.chunks(1).state() == v1::Chunk::STATE_PENDING);
}

TEST_CASE("a duplicate changes nothing") {
  Fixture f;
  f.bench.SendChunk(f.song, 0);
  const v1::Separation before = f.bench.Get(f.song);
  const auto chunks = f.Chunks();
  REQUIRE(f.bench.Send(f.song.Samples(0, 1)).ok());
  CHECK(f.bench.Get(f.song).version() == before.version());
  CHECK(f.Chunks().SerializeAsString() == chunks.SerializeAsString());
  CHECK(Figure(f.bench.metrics, "unbraid_assembler_ignored_results_total") == "1");
  CHECK(Figure(f.bench.metrics, "unbraid_assembler_results_total") == "4");
}

TEST_CASE("results of older attempts and of unknown separations and chunks are ignored") {
  Fixture f;
  Song stranger = f.song;
  stranger.id = 999;
  Result beyond = f.song.Samples(0, 0);
  beyond.chunk = f.song.chunks();
  Result before = f.song.Samples(0, 0);
  before.chunk = -1;
  REQUIRE(f.bench.Send(f.song.Samples(0, 0, 2)).ok());
  REQUIRE(f.bench.Send(stranger.Samples(0, 0)).ok());
  REQUIRE(f.bench.Send(beyond).ok());
  REQUIRE(f.bench.Send(before).ok());
  CHECK(Figure(f.bench.metrics, "unbraid_assembler_results_total") == "0");
  CHECK(Figure(f.bench.metrics, "unbraid_assembler_ignored_results_total") == "4");
}

TEST_CASE("chunks are joined as soon as they are contiguous") {
  Fixture f;
  f.bench.SendChunk(f.song, 1);
  CHECK(f.Chunks().chunks(1).state() == v1::Chunk::STATE_DONE);
  CHECK(f.bench.Get(f.song).progress().joined().nanos() == 0);
  f.bench.SendChunk(f.song, 0);
  CHECK(f.Chunks().chunks(0).state() == v1::Chunk::STATE_JOINED);
  CHECK(f.Chunks().chunks(1).state() == v1::Chunk::STATE_JOINED);
  CHECK(std::filesystem::file_size(f.bench.PathOf(f.song, "joined/0")) == 96U * 2 * sizeof(float));
  // Of the last chunk the next join needs the tail, which is kept beside.
  CHECK(std::filesystem::is_empty(f.bench.PathOf(f.song, "chunks")));
}

TEST_CASE("a failure has the chunk tried once more, a second one fails the separation") {
  Fixture f;
  WorkRecorder splitter;
  f.bench.On([&](Engine& e) {
    e.Listen("splitter-1", &splitter);
    return true;
  });
  const size_t snapshot = splitter.news().size();
  REQUIRE(f.bench.Send(f.song.Failure(3, 1)).ok());
  REQUIRE(f.bench.Send(f.song.Failure(3, 1)).ok());  // delivered twice
  REQUIRE(splitter.news().size() == snapshot + 1);
  CHECK(splitter.news().back().retry().chunk_index() == 3);
  CHECK(splitter.news().back().retry().try_() == 2);
  CHECK(f.bench.Get(f.song).state() == v1::Separation::STATE_SEPARATING);
  CHECK(f.Chunks().chunks(3).attempts() == 2);

  REQUIRE(f.bench.Send(f.song.Failure(3, 2)).ok());
  const v1::Separation failed = f.bench.Get(f.song);
  CHECK(failed.state() == v1::Separation::STATE_FAILED);
  CHECK(failed.failure().reason() == "CHUNK_FAILED");
  CHECK_THAT(failed.failure().message(), Contains("chunk 3 (0:00.0 to 0:00.0)"));
  CHECK_THAT(failed.failure().message(),
             Contains("the model threw (MODEL_ERROR, worker worker-2)"));
  CHECK(splitter.news().back().ended().separation_id() == f.song.id);
  CHECK(splitter.news().back().ended().attempt() == 1);
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(f.song, "")));
}

TEST_CASE("a second try that succeeds makes the chunk complete") {
  Fixture f;
  Recorder recorder;
  REQUIRE(f.bench.Send(f.song.Samples(1, 0)).ok());
  REQUIRE(f.bench.Send(f.song.Failure(1, 1)).ok());
  for (int64_t chunk = 0; chunk < f.song.chunks(); ++chunk) f.bench.SendChunk(f.song, chunk);
  CHECK(f.bench.Await(f.song, &recorder, v1::Separation::STATE_SUCCEEDED));
}

TEST_CASE("a failure of a chunk that another worker has computed meanwhile changes nothing") {
  Fixture f;
  f.bench.SendChunk(f.song, 2);
  REQUIRE(f.bench.Send(f.song.Failure(2, 1)).ok());
  CHECK(f.Chunks().chunks(2).attempts() == 1);
}

TEST_CASE("a result that was not asked for counts as a failure of the chunk") {
  Fixture f;
  Result result = f.song.Samples(0, 0);
  SECTION("stem") { result.stem = 4; }
  SECTION("frames") { result.frames = 63; }
  SECTION("channels") { result.channels = 1; }
  REQUIRE(f.bench.Send(result).ok());
  CHECK(f.Chunks().chunks(0).attempts() == 2);
  result.try_number = 2;
  REQUIRE(f.bench.Send(result).ok());
  CHECK_THAT(f.bench.Get(f.song).failure().message(), Contains("BAD_RESULT"));
}

TEST_CASE("with a full disk a result is not taken, the separation says so, and it is taken later") {
  Fixture f;
  const std::string temporary = f.bench.PathOf(f.song, "chunks/0.0.tmp");
  std::filesystem::create_symlink("/dev/full", temporary);
  const absl::Status refused = f.bench.Send(f.song.Samples(0, 0));
  CHECK(absl::IsResourceExhausted(refused));
  CHECK_THAT(f.bench.Get(f.song).progress().waiting_for(),
             Contains("room on the assembler's disk"));
  CHECK(f.Chunks().chunks(0).state() == v1::Chunk::STATE_PENDING);
  // Whoever wrote in vain has removed the file, and with it the full disk.
  REQUIRE(f.bench.Send(f.song.Samples(0, 0)).ok());
  CHECK(f.bench.Get(f.song).progress().waiting_for().empty());
  CHECK(f.Chunks().chunks(0).state() == v1::Chunk::STATE_PARTIAL);
}

TEST_CASE("a join that met a full disk goes on by itself once there is room") {
  Fixture f;
  const std::string joined = f.bench.PathOf(f.song, "joined/2");
  std::filesystem::rename(joined, joined + ".kept");
  std::filesystem::create_symlink("/dev/full", joined);
  for (int64_t chunk = 0; chunk < f.song.chunks(); ++chunk) f.bench.SendChunk(f.song, chunk);
  CHECK_THAT(f.bench.Get(f.song).progress().waiting_for(),
             Contains("room on the assembler's disk"));
  f.bench.TickLater();
  CHECK(f.bench.Get(f.song).state() == v1::Separation::STATE_SEPARATING);
  std::filesystem::rename(joined + ".kept", joined);
  Recorder recorder;
  f.bench.TickLater();
  CHECK(f.bench.Await(f.song, &recorder, v1::Separation::STATE_SUCCEEDED));
  CHECK(recorder.all().back().progress().waiting_for().empty());
}

TEST_CASE("a finishing that met a full disk begins anew once there is room") {
  Fixture f;
  std::filesystem::create_directories(f.bench.PathOf(f.song, "out"));
  std::filesystem::create_symlink("/dev/full", f.bench.PathOf(f.song, "out/bass.wav.tmp"));
  Recorder recorder;
  f.bench.Watch(f.song, &recorder);
  for (int64_t chunk = 0; chunk < f.song.chunks(); ++chunk) f.bench.SendChunk(f.song, chunk);
  REQUIRE(recorder.AwaitState(v1::Separation::STATE_FINISHING));
  // The news may be held back for the next tick; on which the finishing is not due yet.
  bool waits = false;
  for (const absl::Time end = absl::Now() + kPatience; !waits && absl::Now() < end;) {
    waits = f.bench.On([&](Engine& e) {
      return !e.Get(kOwner, f.song.separation_id())->progress().waiting_for().empty();
    });
  }
  REQUIRE(waits);
  std::filesystem::remove(f.bench.PathOf(f.song, "out/bass.wav.tmp"));
  f.bench.TickLater();
  CHECK(recorder.AwaitState(v1::Separation::STATE_SUCCEEDED));
  f.bench.hub.Unsubscribe(f.song.separation_id(), &recorder);
}

TEST_CASE("a late first chunk does not hold up calls while dozens are joined") {
  test_support::TempDir folder;
  Bench bench(folder.path());
  Song song;
  song.channels = 1;
  song.computed = {0};
  song.wanted = {"drums"};
  song.gains = {1};
  song.frames = song.model_frames = 48 * 40;
  bench.Begin(song);
  for (int64_t chunk = 1; chunk < song.chunks(); ++chunk) bench.SendChunk(song, chunk);
  bench.SendChunk(song, 0);
  // The join goes on behind this call.
  const auto separation = bench.Get(song);
  CHECK(separation.state() == v1::Separation::STATE_SEPARATING);
  Recorder recorder;
  CHECK(bench.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
}

}  // namespace unbraid::assembler
