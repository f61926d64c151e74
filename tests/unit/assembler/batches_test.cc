// Results that come together: what is next in order is joined straight from memory.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <utility>

#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

struct Fixture {
  Fixture() { bench.Begin(song); }

  void Add(int64_t chunk, const std::vector<int>& stems) {
    for (int stem : stems) offers.push_back({song.Samples(chunk, stem)});
  }
  std::vector<bool> Taken() const {
    std::vector<bool> taken;
    for (const Engine::Offer& offer : offers) taken.push_back(offer.taken);
    return taken;
  }
  // From now on no chunk can be stored.
  void BlockChunks() {
    std::filesystem::remove_all(bench.PathOf(song, "chunks"));
    std::ofstream(bench.PathOf(song, "chunks")) << "in the way";
  }
  v1::Chunk::State StateOf(int chunk) {
    v1::ListChunksRequest request;
    request.set_parent(base::SeparationName(song.separation_id()));
    return bench.On(
        [&](Engine& e) { return e.ListChunks(kOwner, request)->chunks(chunk).state(); });
  }

  Song song;
  test_support::TempDir folder;
  Bench bench{folder.path()};
  std::vector<Engine::Offer> offers;
};

const std::vector<int>& AllStems() {
  static const auto* const stems = new std::vector<int>{0, 1, 2, 3};
  return *stems;
}

}  // namespace

TEST_CASE("chunks that come whole and in order are joined and never stored") {
  Fixture f;
  f.BlockChunks();
  for (int64_t chunk = 0; chunk < f.song.chunks(); ++chunk) f.Add(chunk, AllStems());
  SECTION("together") {
    REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
    CHECK(f.Taken() == std::vector<bool>(f.offers.size(), true));
  }
  SECTION("one after the other") {
    for (const Engine::Offer& offer : std::exchange(f.offers, {})) {
      f.offers.push_back(offer);
      REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
      if (f.offers.front().taken) f.offers.clear();
    }
    CHECK(f.offers.empty());
  }
  Recorder recorder;
  CHECK(f.bench.Await(f.song, &recorder, v1::Separation::STATE_SUCCEEDED));
}

TEST_CASE("what is joined from memory gives the bytes of what is joined from files") {
  Fixture f;
  Bench other(f.folder.path() + "/other");
  other.Complete(f.song);
  for (int64_t chunk = 0; chunk < f.song.chunks(); ++chunk) f.Add(chunk, AllStems());
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
  Recorder recorder;
  REQUIRE(f.bench.Await(f.song, &recorder, v1::Separation::STATE_SUCCEEDED));
  for (const char* name :
       {"out/drums.wav", "out/bass.wav", "out/other.wav", "out/vocals.wav", "out/mix.wav"})
    CHECK(ReadAll(f.bench.PathOf(f.song, name)) == ReadAll(other.PathOf(f.song, name)));
}

TEST_CASE("what is not next, or lacks a stem, is left until it must be stored") {
  Fixture f;
  f.Add(1, {3, 2, 1, 0});
  f.Add(0, {0, 1, 2});
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
  CHECK(f.Taken() == std::vector<bool>(7, false));
  CHECK(f.StateOf(0) == v1::Chunk::STATE_PENDING);
  SECTION("and joined with what was missing") {
    f.BlockChunks();
    f.Add(0, {3});
    REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
    CHECK(f.Taken() == std::vector<bool>(8, true));
    CHECK(f.StateOf(1) == v1::Chunk::STATE_JOINED);
  }
  SECTION("and stored") {
    REQUIRE(f.bench.Offer(&f.offers, /*all=*/true).ok());
    CHECK(f.Taken() == std::vector<bool>(7, true));
    CHECK(f.StateOf(0) == v1::Chunk::STATE_PARTIAL);
    CHECK(f.StateOf(1) == v1::Chunk::STATE_DONE);
    CHECK(ReadAll(f.bench.PathOf(f.song, "chunks/1.3")).size() == 64U * 2 * sizeof(float));
    // The last stem comes in memory, and joins both chunks with what is stored of them.
    f.offers = {{f.song.Samples(0, 3)}};
    REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
    CHECK(f.offers.front().taken);
    CHECK(f.StateOf(1) == v1::Chunk::STATE_JOINED);
    CHECK(std::filesystem::is_empty(f.bench.PathOf(f.song, "chunks")));
  }
}

TEST_CASE("of a result that comes twice neither is taken before it is safe") {
  Fixture f;
  f.Add(0, {0, 0});
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
  CHECK(f.Taken() == std::vector<bool>{false, false});
  f.Add(0, {1, 2, 3});
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
  CHECK(f.Taken() == std::vector<bool>(5, true));
}

TEST_CASE("several separations are served by one call, whatever becomes of one of them") {
  Fixture f;
  Song other = f.song;
  other.id = 124;
  f.bench.Begin(other);
  f.BlockChunks();  // of the first only
  f.Add(1, {0});
  f.offers.push_back({other.Samples(1, 0)});
  f.offers.push_back({f.song.Samples(0, 0, 2)});  // of another attempt
  CHECK(f.bench.Offer(&f.offers, /*all=*/true).ok());
  CHECK(f.Taken() == std::vector<bool>{true, true, true});
  CHECK(f.bench.Get(f.song).failure().reason() == "STORAGE_DAMAGED");
  CHECK(f.bench.Get(other).state() == v1::Separation::STATE_SEPARATING);
}

TEST_CASE("what was taken is not looked at again") {
  Fixture f;
  f.offers = {{f.song.Failure(0, 1), /*taken=*/true}};
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/true).ok());
  f.offers.front().taken = false;
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/true).ok());
  CHECK(f.bench.Get(f.song).state() == v1::Separation::STATE_SEPARATING);
  f.offers = {{f.song.Failure(0, 2)}};
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/true).ok());
  CHECK(f.bench.Get(f.song).state() == v1::Separation::STATE_FAILED);
}

TEST_CASE("a join from memory that meets a full disk takes nothing, or stores what must be") {
  Fixture f;
  const std::string joined = f.bench.PathOf(f.song, "joined/2");
  std::filesystem::rename(joined, joined + ".kept");
  std::filesystem::create_symlink("/dev/full", joined);
  f.Add(0, AllStems());
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
  CHECK(f.Taken() == std::vector<bool>(4, false));
  CHECK_FALSE(f.bench.Get(f.song).progress().waiting_for().empty());
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/true).ok());
  CHECK(f.Taken() == std::vector<bool>(4, true));
  CHECK(f.StateOf(0) == v1::Chunk::STATE_DONE);
  CHECK_FALSE(f.bench.Get(f.song).progress().waiting_for().empty());
  std::filesystem::rename(joined + ".kept", joined);
  f.bench.TickLater();
  CHECK(f.StateOf(0) == v1::Chunk::STATE_JOINED);
  CHECK(f.bench.Get(f.song).progress().waiting_for().empty());
}

TEST_CASE("what comes after the last failure of a chunk is superfluous") {
  Fixture f;
  f.offers = {{f.song.Samples(0, 0)}, {f.song.Failure(3, 1)}, {f.song.Failure(3, 2)}};
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
  CHECK(f.bench.Get(f.song).state() == v1::Separation::STATE_FAILED);
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
  CHECK(f.Taken() == std::vector<bool>(3, true));
}

TEST_CASE("the failure of a chunk that is in memory already costs nothing") {
  Fixture f;
  f.Add(1, AllStems());  // whole, but not next
  f.offers.push_back({f.song.Failure(1, 2)});
  std::swap(f.offers.front(), f.offers.back());
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/false).ok());
  CHECK(f.Taken() == std::vector<bool>{true, false, false, false, false});
  f.offers.push_back({f.song.Failure(1, 1)});
  f.offers.push_back({f.song.Failure(1, 2)});
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/true).ok());
  CHECK(f.bench.Get(f.song).state() == v1::Separation::STATE_SEPARATING);
  CHECK(f.StateOf(1) == v1::Chunk::STATE_DONE);
}

TEST_CASE("where there is room for some of the results, these are stored") {
  Fixture f;
  f.Add(1, AllStems());
  const std::string temporary = f.bench.PathOf(f.song, "chunks/1.3.tmp");
  std::filesystem::create_symlink("/dev/full", temporary);
  CHECK(absl::IsResourceExhausted(f.bench.Offer(&f.offers, /*all=*/true)));
  CHECK(f.Taken() == std::vector<bool>{true, true, false, false});
  CHECK(f.StateOf(1) == v1::Chunk::STATE_PARTIAL);
  REQUIRE(f.bench.Offer(&f.offers, /*all=*/true).ok());
  CHECK(f.StateOf(1) == v1::Chunk::STATE_DONE);
}

}  // namespace unbraid::assembler
