#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>

#include "absl/synchronization/notification.h"
#include "services/common/samples/beside.h"
#include "services/common/store/object_folder.h"
#include "tests/unit/assembler/fixtures.h"

// Samples that lie beside their messages, as the assembler takes them.

namespace unbraid::assembler {
namespace {

using Catch::Contains;

struct Fixture {
  // A result whose samples are laid aside.
  internal::v1::ChunkResult Aside(int64_t chunk, int stem) const {
    internal::v1::ChunkResult message = song.Message(chunk, stem);
    REQUIRE(
        samples::LayAside(objects, {"assembler-1", song.separation_id(), 1}, message.mutable_stem())
            .ok());
    return message;
  }
  Result Read(const internal::v1::ChunkResult& message) const {
    return *ParseResult(message.SerializeAsString(), &objects);
  }
  // A message that is delivered when its samples are gone.
  Result Gone(int64_t chunk, int stem) const {
    internal::v1::ChunkResult message = Aside(chunk, stem);
    objects.Remove(message.stem().samples_object().uri());
    return Read(message);
  }
  int TriesOf(int64_t chunk) {
    v1::ListChunksRequest request;
    request.set_parent(base::SeparationName(song.separation_id()));
    return bench.On([&](Engine& e) { return e.ListChunks(kOwner, request); })
        ->chunks(static_cast<int>(chunk))
        .attempts();
  }
  bool Lies(const std::string& group) const {
    return std::filesystem::exists(objects.path() + "/" + group);
  }
  // As if nothing had happened there for longer than anything may lie there.
  void LetAge(const std::string& group) const {
    std::filesystem::last_write_time(
        objects.path() + "/" + group,
        std::filesystem::file_time_type::clock::now() - std::chrono::minutes(2));
  }
  void Sweep() {
    bench.TickLater();
    absl::Notification done;
    bench.finishing_executor.Post([&done] { done.Notify(); });
    done.WaitForNotification();
  }
  static void Use(const store::ObjectFolder* objects, Engine::Options* options) {
    options->name = "assembler-1";
    options->objects = objects;
  }

  Song song;
  test_support::TempDir folder;
  store::ObjectFolder objects = *store::ObjectFolder::Open(folder.path() + "/objects");
  Bench bench{folder.path() + "/data",
              [this](Engine::Options* options) { Use(&objects, options); }};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "samples beside a message are taken like those in it") {
  const internal::v1::ChunkResult message = Aside(1, 2);
  CHECK(message.ByteSizeLong() < 400);
  const Result result = Read(message);
  CHECK_FALSE(result.failed());
  CHECK(result.samples == song.Samples(1, 2).samples);
  CHECK(result.object == message.stem().samples_object().uri());
  CHECK(song.Samples(1, 2).object.empty());
}

TEST_CASE_METHOD(Fixture, "samples that cannot be read are a failure of the chunk") {
  SECTION("gone") {
    const Result result = Gone(0, 0);
    CHECK(result.failure_reason == "SAMPLES_MISSING");
    CHECK(absl::IsNotFound(result.fetched));
    CHECK_THAT(result.failure_message, Contains("--object-folder"));
    CHECK_THAT(result.failure_message, !Contains(folder.path()));
  }
  SECTION("the assembler has no folder") {
    CHECK(ParseResult(Aside(0, 0).SerializeAsString())->failure_reason == "SAMPLES_MISSING");
  }
  SECTION("damaged") {
    internal::v1::ChunkResult message = Aside(0, 0);
    message.mutable_stem()->set_samples_crc32c(7);
    CHECK(Read(message).failure_reason == "BAD_CHECKSUM");
  }
}

TEST_CASE_METHOD(Fixture, "a result that comes again when its samples were taken is a duplicate") {
  bench.Begin(song);
  REQUIRE(bench.Send(Read(Aside(1, 2))).ok());
  std::vector<Engine::Offer> offers = {{Gone(1, 2)}};
  REQUIRE(bench.Offer(&offers, false).ok());
  CHECK(offers[0].taken);
  CHECK(TriesOf(1) == 1);

  offers = {{Gone(1, 3)}};  // that one never came
  REQUIRE(bench.Offer(&offers, false).ok());
  CHECK(offers[0].taken);
  CHECK(TriesOf(1) == 2);
}

TEST_CASE_METHOD(Fixture, "what lies beside messages goes some time after its separation") {
  bench.Begin(song);
  REQUIRE(objects.Put("assembler-1", "123.1", "a task that nobody took").ok());
  REQUIRE(objects.Put("assembler-1", "123.2", "of no attempt that there is").ok());
  REQUIRE(objects.Put("assembler-2", "123.2", "somebody else's").ok());
  LetAge("assembler-1/123.1");
  LetAge("assembler-1/123.2");
  LetAge("assembler-2/123.2");
  Sweep();
  CHECK(Lies("assembler-1/123.1"));
  CHECK_FALSE(Lies("assembler-1/123.2"));
  CHECK(Lies("assembler-2/123.2"));

  SECTION("when it has succeeded") { bench.Complete(song); }
  SECTION("when it was cancelled") {
    REQUIRE(bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); }).ok());
  }
  REQUIRE(objects.Put("assembler-1", "123.1", "of a worker that does not know yet").ok());
  Sweep();
  CHECK(Lies("assembler-1/123.1"));
  LetAge("assembler-1/123.1");
  Sweep();
  CHECK_FALSE(Lies("assembler-1/123.1"));
}

}  // namespace unbraid::assembler
