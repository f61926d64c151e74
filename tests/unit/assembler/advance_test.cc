// Results that are made while the song is still being joined.
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

// Three blocks and a bit.
Song LongSong(int64_t id = 123) {
  Song song;
  song.id = id;
  song.window = 60'000;
  song.overlap = 10'000;
  song.frames = song.model_frames = 210'000;
  song.channels = 1;
  song.format = v1::SAMPLE_FORMAT_S16;
  song.sample = [](int64_t chunk, int stem, int64_t frame, int) {
    return 0.2F * Noise(static_cast<uint64_t>((chunk * 4 + stem) * 60'000 + frame));
  };
  return song;
}

bool Clips(const Song& song) { return song.gains[0] > 1; }

using Contents = std::map<std::string, std::string>;

Contents Results(const Bench& bench, const Song& song) {
  Contents results;
  for (const auto& entry : std::filesystem::directory_iterator(bench.PathOf(song, "out")))
    results[entry.path().filename().string()] = ReadAll(entry.path().string());
  return results;
}

// Until the finisher has taken all that was joined.
void AwaitAdvanced(Bench* bench) {
  constexpr int kTurns = 3;  // of the engine, which may give it more
  for (int i = 0; i < kTurns; ++i) {
    absl::Notification done;
    bench->finishing_executor.Post([&] { done.Notify(); });
    done.WaitForNotification();
    bench->On([](Engine&) { return true; });
  }
}

// All but the last chunks.
void Join(Bench* bench, const Song& song, int64_t but = 1) {
  for (int64_t chunk = 0; chunk + but < song.chunks(); ++chunk) bench->SendChunk(song, chunk);
}

Contents Complete(Bench* bench, const Song& song) {
  Recorder recorder;
  bench->SendChunk(song, song.chunks() - 1);
  REQUIRE(bench->Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
  return Results(*bench, song);
}

// Where nothing can be written before all is joined.
Contents ResultsMadeLate(const std::string& folder, const Song& song) {
  Bench bench(folder);
  bench.Begin(song);
  const std::string path = bench.PathOf(song, "out");
  std::filesystem::remove(path);
  Join(&bench, song);
  AwaitAdvanced(&bench);
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(bench.Get(song).state() == v1::Separation::STATE_SEPARATING);
  std::filesystem::create_directory(path);
  return Complete(&bench, song);
}

}  // namespace

TEST_CASE(
    "results that are made while the song is joined are those made afterwards, as after an error") {
  Song song = LongSong();
  SECTION("at the model's rate") {}
  SECTION("at another rate") {
    song.rate_hz = 48'000;
    song.frames = 228'571;
  }
  SECTION("turned down, since something clips before its end") { song.gains = {8, 8, 8, 8}; }
  SECTION("in another container") { song.container = v1::OutputFormat::CONTAINER_FLAC; }
  SECTION("lossy") {
    song.container = v1::OutputFormat::CONTAINER_OGG_VORBIS;
    song.format = v1::SAMPLE_FORMAT_UNSPECIFIED;
  }
  SECTION("with a residual") {
    song.residual = true;
    song.output.set_clip(v1::OutputFormat::CLIP_POLICY_CLAMP);
  }
  test_support::TempDir folder;
  const Contents late = ResultsMadeLate(folder.path() + "/late", song);

  Bench bench(folder.path() + "/early");
  bench.Begin(song);
  Join(&bench, song);
  AwaitAdvanced(&bench);
  const Contents early = Results(bench, song);
  CHECK(early.size() == (Clips(song) ? 0 : late.size()));
  for (const auto& [name, content] : early) {
    CHECK(name.substr(name.size() - 4) == ".tmp");
    CHECK(content.size() > 10'000);
  }
  CHECK((Complete(&bench, song) == late));
}

TEST_CASE("what was made early goes as soon as anything finds no room on the disk") {
  const Song song = LongSong();
  test_support::TempDir folder;
  const Contents late = ResultsMadeLate(folder.path() + "/late", song);
  Bench bench(folder.path() + "/full");
  bench.Begin(song);
  Join(&bench, song, 2);
  AwaitAdvanced(&bench);
  REQUIRE_FALSE(Results(bench, song).empty());
  // The last chunk is out of order, so it is to be stored, where not a byte can be written.
  const std::string chunk = std::to_string(song.chunks() - 1) + ".0.tmp";
  const std::string full = bench.PathOf(song, "chunks/" + chunk);
  std::filesystem::create_symlink("/dev/full", full);
  CHECK(absl::IsResourceExhausted(bench.Send(song.Samples(song.chunks() - 1, 0))));
  AwaitAdvanced(&bench);
  CHECK(Results(bench, song).empty());
  CHECK_FALSE(bench.Get(song).progress().waiting_for().empty());

  std::filesystem::remove(full);
  bench.SendChunk(song, song.chunks() - 2);
  CHECK((Complete(&bench, song) == late));
}

TEST_CASE("room is not counted twice that results made early have taken already") {
  const Song song = LongSong();
  test_support::TempDir folder;
  int64_t free = int64_t{1} << 40;
  const auto adjust = [&free](Engine::Options* options) {
    options->free_bytes = [&free](const std::string&) { return free; };
  };
  Bench bench(folder.path(), adjust);
  bench.Begin(song);
  Join(&bench, song);
  AwaitAdvanced(&bench);
  const Contents early = Results(bench, song);
  int64_t written = 0;
  for (const auto& [name, content] : early) written += static_cast<int64_t>(content.size());
  REQUIRE(written > 100'000);
  Job job = PlannedJob(song);
  job.joined = song.chunks() - 1;
  const Song other = LongSong(124);
  const int64_t enough = kSpareBytes + NeededBytes(other.Open()) + StillNeededBytes(job) - written;
  const auto open = [&](int64_t bytes) {
    free = bytes;
    return bench.On([&](Engine& e) { return e.Open(kOwner, other.Open()); }).status();
  };
  CHECK(absl::IsResourceExhausted(open(enough - 1)));
  CHECK(open(enough).ok());
}

TEST_CASE("results that have begun are begun anew after a kill") {
  const Song song = LongSong();
  test_support::TempDir folder;
  Bench bench(folder.path() + "/victim");
  bench.Begin(song);
  Join(&bench, song);
  AwaitAdvanced(&bench);
  CopyAsKilled(folder.path() + "/victim", folder.path() + "/copy");
  const Contents expected = Complete(&bench, song);

  Bench revived(folder.path() + "/copy");
  REQUIRE(revived.created.ok());
  CHECK(Results(revived, song).empty());
  CHECK((Complete(&revived, song) == expected));
}

TEST_CASE("a separation that ends takes with it what was being made of it") {
  const Song song = LongSong();
  test_support::TempDir folder;
  Bench bench(folder.path());
  bench.Begin(song);
  const std::string path = bench.PathOf(song, "out");
  SECTION("at rest") {
    Join(&bench, song);
    AwaitAdvanced(&bench);
    REQUIRE(bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); }).ok());
    CHECK_FALSE(std::filesystem::exists(path));
  }
  SECTION("while it is made") {
    Held held(&bench.finishing_executor);
    Join(&bench, song);
    REQUIRE(bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); }).ok());
  }
  AwaitAdvanced(&bench);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE(
    "results of two separations at most are made early, and the next one's when one is done") {
  test_support::TempDir folder;
  Bench bench(folder.path());
  std::vector<Song> songs;
  for (int64_t id : {1, 2, 3}) {
    songs.push_back(LongSong(id));
    bench.Begin(songs.back());
  }
  Join(&bench, songs[0]);
  Join(&bench, songs[1]);
  Join(&bench, songs[2], 2);
  AwaitAdvanced(&bench);
  CHECK_FALSE(Results(bench, songs[0]).empty());
  CHECK_FALSE(Results(bench, songs[1]).empty());
  CHECK(Results(bench, songs[2]).empty());
  Complete(&bench, songs[0]);
  bench.SendChunk(songs[2], songs[2].chunks() - 2);
  AwaitAdvanced(&bench);
  CHECK(Results(bench, songs[2]).size() == 5);
}

TEST_CASE("one that does not go on makes way, and is finished in the end") {
  test_support::TempDir folder;
  const Contents expected = ResultsMadeLate(folder.path() + "/late", LongSong(1));
  Bench bench(folder.path() + "/early",
              [](Engine::Options* options) { options->advance_patience = absl::ZeroDuration(); });
  for (int64_t id : {1, 2, 3}) {
    bench.Begin(LongSong(id));
    Join(&bench, LongSong(id));
    AwaitAdvanced(&bench);
  }
  CHECK(Results(bench, LongSong(1)).empty());
  CHECK(Results(bench, LongSong(2)).size() == 5);
  CHECK(Results(bench, LongSong(3)).size() == 5);
  CHECK((Complete(&bench, LongSong(1)) == expected));
}

}  // namespace unbraid::assembler
