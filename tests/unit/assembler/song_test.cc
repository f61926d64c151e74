#include <catch2/catch.hpp>
#include <filesystem>

#include "services/assembler/space.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;

struct Fixture {
  Fixture() { song.residual = true; }

  void Open() {
    REQUIRE(bench.On([&](Engine& e) { return e.Open(kOwner, song.Open()); }).ok());
  }
  auto BeginSong(int attempt = 1) {
    return bench.On([&](Engine& e) { return e.BeginSong(song.separation_id(), attempt); });
  }
  absl::Status TakeSong(const std::string& path, int attempt = 1) {
    return bench.On([&](Engine& e) { return e.TakeSong(song.separation_id(), attempt, path); });
  }
  absl::Status Plan() {
    return bench.On([&](Engine& e) { return e.Plan(song.Plan()); });
  }
  bool Cancel() {
    return bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); }).ok();
  }
  bool NothingIncoming() {
    const std::string incoming = bench.PathOf(song, "incoming");
    return !std::filesystem::exists(incoming) || std::filesystem::is_empty(incoming);
  }
  // Writes all parts but the last.
  void WriteMost(SongIntake* intake) const {
    const auto parts = song.SongParts(50);
    for (size_t i = 0; i + 1 < parts.size(); ++i) REQUIRE(intake->Write(parts[i]).ok());
  }

  Song song;
  test_support::TempDir folder;
  Bench bench{folder.path()};
};

}  // namespace

TEST_CASE("Case 6: a residual is not planned before its song is there") {
  Fixture f;
  f.Open();
  const absl::Status early = f.Plan();
  CHECK(absl::IsFailedPrecondition(early));
  CHECK(base::ReasonOf(early) == "SONG_MISSING");
  CHECK(f.bench.Get(f.song).state() == v1::Separation::STATE_PREPARING);
  REQUIRE(f.bench.PutSong(f.song).ok());
  CHECK(f.Plan().ok());
  CHECK(f.NothingIncoming());
  // A plan that was told before needs nothing more.
  REQUIRE(std::filesystem::remove(f.bench.PathOf(f.song, "song")));
  CHECK(f.Plan().ok());
}

TEST_CASE("a song that is there already is not taken again") {
  Fixture f;
  f.Open();
  REQUIRE(f.bench.PutSong(f.song).ok());
  const auto again = f.BeginSong();
  REQUIRE(again.ok());
  CHECK(*again == nullptr);
}

TEST_CASE("songs for nothing are refused with a reason") {
  Fixture f;
  CHECK(base::ReasonOf(f.BeginSong().status()) == "UNKNOWN_SEPARATION");
  f.Open();
  const absl::Status stale = f.BeginSong(2).status();
  CHECK(absl::IsAborted(stale));
  CHECK(base::ReasonOf(stale) == "STALE_ATTEMPT");
  Song plain;
  plain.id = 7;
  REQUIRE(f.bench.On([&](Engine& e) { return e.Open(kOwner, plain.Open()); }).ok());
  const absl::Status needless =
      f.bench.On([&](Engine& e) { return e.BeginSong(plain.separation_id(), 1); }).status();
  CHECK(absl::IsInvalidArgument(needless));
  CHECK(base::ReasonOf(needless) == "INVALID_SONG");
}

TEST_CASE("a part that is damaged, too large, or no whole frames is refused") {
  Fixture f;
  f.Open();
  const auto intake = *f.BeginSong();
  internal::v1::PutSongRequest part = f.song.SongParts(50).front();
  std::string reason = "INVALID_SONG";
  std::string words;
  SECTION("damaged") {
    part.set_crc32c(part.crc32c() + 1);
    reason = "CHECKSUM_MISMATCH";
    words = "byte 0 arrived damaged";
  }
  SECTION("half a frame") {
    part.mutable_samples()->resize(12);
    words = "12 bytes; it must be whole frames";
  }
  SECTION("too large") {
    part.set_samples(std::string((1 << 20) + 8, 'x'));
    words = "at most 1048576 bytes";
  }
  SECTION("more than the track has") {
    f.song.frames = 201;
    part = f.song.SongParts(201).front();
    words = "longer than the track's 200 frames";
  }
  const absl::Status refused = intake->Write(part);
  CHECK(base::ReasonOf(refused) == reason);
  CHECK_THAT(std::string(refused.message()), Contains(words));
}

TEST_CASE("a song that ends early is refused and leaves nothing behind") {
  Fixture f;
  f.Open();
  {
    const auto intake = *f.BeginSong();
    f.WriteMost(intake.get());
    CHECK_FALSE(f.NothingIncoming());
    const absl::Status refused = intake->Finish();
    CHECK(base::ReasonOf(refused) == "INVALID_SONG");
    CHECK_THAT(std::string(refused.message()), Contains("after 150 frames; the track has 200"));
  }
  CHECK(f.NothingIncoming());
  CHECK(base::ReasonOf(f.Plan()) == "SONG_MISSING");
}

TEST_CASE("two songs at once are two files, and either can be the song") {
  Fixture f;
  f.Open();
  const auto first = *f.BeginSong();
  const auto second = *f.BeginSong();
  CHECK(first->path() != second->path());
  f.WriteMost(first.get());
  for (const auto& part : f.song.SongParts(64)) REQUIRE(second->Write(part).ok());
  REQUIRE(second->Finish().ok());
  REQUIRE(f.TakeSong(second->path()).ok());
  REQUIRE(first->Write(f.song.SongParts(50).back()).ok());
  REQUIRE(first->Finish().ok());
  REQUIRE(f.TakeSong(first->path()).ok());
  CHECK(f.NothingIncoming());
  CHECK(f.Plan().ok());
}

TEST_CASE("Case 24: a song on its way ends with its separation, and its file goes") {
  Fixture f;
  f.Open();
  const auto intake = *f.BeginSong();
  f.WriteMost(intake.get());
  REQUIRE(f.Cancel());
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(f.song, "")));
  CHECK(base::ReasonOf(intake->Write(f.song.SongParts(50).back())) == "STALE_ATTEMPT");
  CHECK(base::ReasonOf(intake->Finish()) == "STALE_ATTEMPT");
  SECTION("cancelled") {}
  SECTION("started anew") { f.Open(); }
  CHECK(base::ReasonOf(f.TakeSong(intake->path())) == "STALE_ATTEMPT");
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(f.song, "song", 2)));
}

TEST_CASE("a disk that fills up under a song says so in words for people") {
  Fixture f;
  f.Open();
  const auto probe = *f.BeginSong();
  const std::string full = probe->path() + "-full";
  std::filesystem::create_symlink("/dev/full", full);
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  const auto intake = *SongIntake::Create({full, 1600, 8, cancelled});
  const absl::Status refused = intake->Write(f.song.SongParts(50).front());
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(base::ReasonOf(refused) == "DISK_FULL");
  CHECK_THAT(std::string(refused.message()), Contains("no room for the song itself, 1 MiB"));
}

TEST_CASE("after a crash a half-taken song is gone, and a whole one counts") {
  Fixture f;
  f.Open();
  const auto half = *f.BeginSong();
  f.WriteMost(half.get());
  SECTION("half") {
    test_support::TempDir copy;
    CopyAsKilled(f.folder.path(), copy.path());
    Bench after(copy.path());
    CHECK_FALSE(std::filesystem::exists(after.PathOf(f.song, "incoming")));
    CHECK(base::ReasonOf(after.On([&](Engine& e) { return e.Plan(f.song.Plan()); })) ==
          "SONG_MISSING");
  }
  SECTION("whole") {
    REQUIRE(f.bench.PutSong(f.song).ok());
    test_support::TempDir copy;
    CopyAsKilled(f.folder.path(), copy.path());
    Bench after(copy.path());
    CHECK(after.On([&](Engine& e) { return e.Plan(f.song.Plan()); }).ok());
  }
}

TEST_CASE("the room for a residual is the song's and its own, the song's only until it is there") {
  Song song;
  song.frames = song.model_frames = 192;  // four chunks
  constexpr int64_t kFile = 192 * 8;
  song.residual = true;
  Job job;
  job.open = song.Open();
  // Four joined stems, six results and the song.
  CHECK(NeededBytes(job.open) == 11 * kFile);
  CHECK(StillNeededBytes(job) == 11 * kFile);
  job.model_frames = song.model_frames;
  job.chunks = song.chunks();
  job.joined = 2;
  CHECK(StillNeededBytes(job) == 8 * kFile);
}

TEST_CASE("a residual of some stems only is refused") {
  Song song;
  song.residual = true;
  song.computed = {0, 1, 3};
  const absl::Status refused = CheckOpen(song.Open());
  CHECK(base::ReasonOf(refused) == "BAD_REQUEST");
  CHECK_THAT(std::string(refused.message()), Contains("needs all stems of the model"));
}

}  // namespace unbraid::assembler
