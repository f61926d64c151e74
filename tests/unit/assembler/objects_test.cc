#include <catch2/catch.hpp>
#include <filesystem>

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
  Result Gone(int64_t chunk, int stem, int try_number = 1) const {
    internal::v1::ChunkResult message = Aside(chunk, stem);
    message.set_try_(try_number);
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
    return std::filesystem::exists(objects.path() + "/assembler-1/" + group);
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

TEST_CASE_METHOD(Fixture, "a chunk whose samples are lost again and again fails in the end") {
  bench.Begin(song);
  for (int i = 1; i < 6; ++i) {
    REQUIRE(bench.Send(Gone(1, 2, i)).ok());
    REQUIRE(TriesOf(1) == i + 1);
  }
  CHECK(bench.Get(song).state() == v1::Separation::STATE_SEPARATING);
  REQUIRE(bench.Send(Gone(1, 2, 6)).ok());
  const v1::Separation separation = bench.Get(song);
  CHECK(separation.state() == v1::Separation::STATE_FAILED);
  CHECK_THAT(separation.failure().message(), Contains("6 times") && Contains("SAMPLES_MISSING"));
}

TEST_CASE_METHOD(Fixture, "what lies beside messages goes with its separation") {
  bench.Begin(song);
  REQUIRE(objects.Put("assembler-1", "123.1", "a task that nobody took").ok());
  REQUIRE(objects.Put("assembler-1", "124.1", "another separation's").ok());
  SECTION("when it has succeeded") { bench.Complete(song); }
  SECTION("when it was cancelled") {
    REQUIRE(bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); }).ok());
  }
  CHECK_FALSE(Lies("123.1"));
  CHECK(Lies("124.1"));
}

TEST_CASE_METHOD(Fixture, "what a crash left beside messages goes at the next start") {
  bench.Begin(song);
  REQUIRE(objects.Put("assembler-1", "123.1", "needed").ok());
  REQUIRE(objects.Put("assembler-1", "123.2", "of no attempt that there is").ok());
  REQUIRE(objects.Put("assembler-1", "124.1", "of a separation that has ended").ok());
  REQUIRE(objects.Put("assembler-2", "124.1", "somebody else's").ok());
  const std::string again = folder.path() + "/again";
  CopyAsKilled(bench.folder, again);
  Bench second(again, [this](Engine::Options* options) { Use(&objects, options); });
  REQUIRE(second.created.ok());
  CHECK(Lies("123.1"));
  CHECK_FALSE(Lies("123.2"));
  CHECK_FALSE(Lies("124.1"));
  CHECK(std::filesystem::exists(objects.path() + "/assembler-2/124.1"));
}

}  // namespace unbraid::assembler
