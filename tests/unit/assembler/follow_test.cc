#include <catch2/catch.hpp>
#include <cstring>

#include "services/assembler/stem_follower.h"
#include "services/common/base/status.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;

constexpr size_t kPartBytes = 256 << 10;

struct Fixture {
  absl::StatusOr<FollowPlan> Plan(const Song& song, const std::string& stem) {
    return bench.On([&](Engine& engine) {
      return engine.PlanFollow(kOwner, base::StemRef{song.separation_id(), stem});
    });
  }
  std::unique_ptr<StemFollower> Follow(const Song& song, const std::string& stem,
                                       int64_t offset = 0) {
    const auto plan = Plan(song, stem);
    REQUIRE(plan.ok());
    auto follower = StemFollower::Open(*plan, offset);
    REQUIRE(follower.ok());
    return *std::move(follower);
  }
  int64_t Joined(const Song& song) { return Plan(song, "mix")->joined_frames; }
  std::vector<float> Output(const Song& song, const std::string& name) const {
    return Decode(bench.PathOf(song, "out/" + name + ".wav"), song.channels);
  }

  test_support::TempDir folder;
  Bench bench{folder.path()};
};

// All that there is while so many frames are joined.
std::string Drain(StemFollower* follower, int64_t joined) {
  std::string bytes;
  while (follower->CanGoOn(joined)) {
    const auto part = follower->Next(joined);
    REQUIRE(part.ok());
    REQUIRE(part->size() <= kPartBytes);
    bytes += *part;
  }
  return bytes;
}

std::string Bytes(const std::vector<float>& samples) {
  return std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float));
}

std::vector<float> Samples(const std::string& bytes) {
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::memcpy(samples.data(), bytes.data(), bytes.size());
  return samples;
}

// Long enough for a resampler to have something to give before the end.
Song SongAt(int rate_hz) {
  Song song;
  song.window = 4'096;
  song.overlap = 1'024;
  song.rate_hz = rate_hz;
  song.frames = rate_hz / 2 + 1;
  song.model_frames = (song.frames * song.model_rate_hz + rate_hz - 1) / rate_hz;
  return song;
}

std::string FailureOf(const absl::StatusOr<FollowPlan>& plan) {
  return base::ReasonOf(plan.status());
}

}  // namespace

TEST_CASE("what a follower gets chunk by chunk is, bit for bit, what is written in the end") {
  for (int rate : {44'100, 48'000, 8'000}) {
    for (const char* stem : {"drums", "vocals", "mix"}) {
      CAPTURE(rate, stem);
      Fixture f;
      Song song = SongAt(rate);
      song.gains = {0.5, 2, 0, 1};
      f.bench.Begin(song);
      const auto follower = f.Follow(song, stem);
      CHECK(Drain(follower.get(), f.Joined(song)).empty());
      std::string bytes;
      for (int64_t chunk = 0; chunk + 1 < song.chunks(); ++chunk) {
        f.bench.SendChunk(song, chunk);
        bytes += Drain(follower.get(), f.Joined(song));
      }
      // A resampler keeps a little back.
      CHECK(bytes.size() > static_cast<size_t>(song.frames) * 8 / 2);
      CHECK_FALSE(follower->ended());
      Recorder recorder;
      f.bench.SendChunk(song, song.chunks() - 1);
      REQUIRE(f.bench.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
      // By now the joined files are gone, but for the follower that holds them.
      bytes += Drain(follower.get(), song.model_frames);
      CHECK(follower->ended());
      CHECK(bytes == Bytes(f.Output(song, stem)));
    }
  }
}

TEST_CASE("as many frames are given as are final, at once where no rate changes") {
  Fixture f;
  const Song song;
  f.bench.Begin(song);
  f.bench.SendChunk(song, 0);
  const auto follower = f.Follow(song, "drums");
  CHECK(Samples(Drain(follower.get(), f.Joined(song))).size() == 48 * 2);
  CHECK(follower->offset() == 48 * 8);
  f.bench.SendChunk(song, 2);  // not contiguous
  CHECK_FALSE(follower->CanGoOn(f.Joined(song)));
  f.bench.SendChunk(song, 1);
  CHECK(Samples(Drain(follower.get(), f.Joined(song))).size() == 2 * 48 * 2);
}

TEST_CASE("from any frame on the bytes are those that a stream from the beginning has there") {
  for (int rate : {44'100, 48'000}) {
    Fixture f;
    const Song song = SongAt(rate);
    f.bench.Begin(song);
    // All but the last, so that the files stay.
    for (int64_t chunk = 0; chunk + 1 < song.chunks(); ++chunk) f.bench.SendChunk(song, chunk);
    const int64_t joined = f.Joined(song);
    for (const char* stem : {"bass", "mix"}) {
      const std::string whole = Drain(f.Follow(song, stem).get(), joined);
      for (size_t frame : {size_t{1}, size_t{5'000}, whole.size() / 8 - 1, whole.size() / 8}) {
        CAPTURE(rate, stem, frame);
        const auto follower = f.Follow(song, stem, static_cast<int64_t>(frame * 8));
        CHECK(follower->offset() == static_cast<int64_t>(frame * 8));
        CHECK(Drain(follower.get(), joined) == whole.substr(frame * 8));
      }
    }
  }
}

TEST_CASE("parts are whole frames of at most 256 KiB") {
  Fixture f;
  Song song = SongAt(192'000);
  song.frames = 192'000;
  song.model_frames = 44'100;
  song.window = 44'100;
  song.overlap = 0;
  f.bench.Complete(song);
  const auto follower = f.Follow(song, "drums");
  std::string bytes;
  while (follower->CanGoOn(0)) {
    const auto part = follower->Next(0);
    REQUIRE(part.ok());
    CHECK(part->size() <= kPartBytes);
    CHECK(part->size() % 8 == 0);
    bytes += *part;
  }
  CHECK(bytes.size() == 192'000 * 8);
}

TEST_CASE("after the end the stem is decoded from its file, from any frame on") {
  Fixture f;
  for (int rate : {44'100, 48'000}) {
    Song song = SongAt(rate);
    song.id = rate;
    f.bench.Complete(song);
    const std::string whole = Bytes(f.Output(song, "mix"));
    for (size_t frame : {size_t{0}, size_t{777}, whole.size() / 8}) {
      const auto follower = f.Follow(song, "mix", static_cast<int64_t>(frame * 8));
      CHECK(Drain(follower.get(), 0) == whole.substr(frame * 8));
      CHECK(follower->ended());
    }
  }
}

TEST_CASE("the gain of integer outputs is taken off what is decoded, so that the level stays") {
  Fixture f;
  Song song = SongAt(44'100);
  song.format = v1::SAMPLE_FORMAT_S16;
  song.gains = {3, 3, 3, 3};  // the mix clips
  f.bench.Begin(song);
  const auto before = f.Follow(song, "drums");
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) f.bench.SendChunk(song, chunk);
  Recorder recorder;
  REQUIRE(f.bench.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
  REQUIRE(f.bench.Get(song).gain_db() < -6);
  const std::vector<float> computed = Samples(Drain(before.get(), song.model_frames));
  const std::vector<float> decoded = Samples(Drain(f.Follow(song, "drums").get(), 0));
  REQUIRE(computed.size() == decoded.size());
  float worst = 0;
  for (size_t i = 0; i < computed.size(); ++i)
    worst = std::max(worst, std::abs(computed[i] - decoded[i]));
  CHECK(worst < 0.001F);
}

TEST_CASE("a result that is gone when it is to be decoded is told, not taken for damage") {
  Fixture f;
  const Song song;
  f.bench.Complete(song);
  const auto follower = f.Follow(song, "drums");
  REQUIRE(
      f.bench.On([&](Engine& engine) { return engine.Delete(kOwner, song.separation_id()); }).ok());
  const absl::Status status = follower->Next(0).status();
  CHECK(absl::IsUnavailable(status));
  CHECK_THAT(std::string(status.message()), Contains("was deleted"));
}

TEST_CASE("only stems that are wanted as files, and the mix, can be followed") {
  Fixture f;
  Song song;
  song.wanted = {"drums", "vocals"};
  f.bench.Begin(song);
  CHECK(f.Plan(song, "drums").ok());
  CHECK(f.Plan(song, "mix").ok());
  for (const char* stem : {"bass", "residual", "guitar", ""}) {
    CAPTURE(stem);
    const auto plan = f.Plan(song, stem);
    CHECK(absl::IsNotFound(plan.status()));
    CHECK(FailureOf(plan) == "UNKNOWN_STEM");
    CHECK_THAT(std::string(plan.status().message()), Contains("It has: drums, vocals, mix."));
  }
  CHECK(FailureOf(f.bench.On([&](Engine& engine) {
          return engine.PlanFollow("eve", base::StemRef{song.separation_id(), "drums"});
        })) == "UNKNOWN_SEPARATION");
}

TEST_CASE("what has failed or was cancelled cannot be followed, and says which") {
  Fixture f;
  Song song;
  f.bench.Begin(song);
  SECTION("failed") {
    for (int try_number : {1, 2}) REQUIRE(f.bench.Send(song.Failure(0, try_number)).ok());
    const auto plan = f.Plan(song, "drums");
    CHECK(absl::IsAborted(plan.status()));
    CHECK(FailureOf(plan) == "SEPARATION_FAILED");
    CHECK_THAT(std::string(plan.status().message()), Contains("could not compute chunk 0"));
    CHECK(base::FactsOf(plan.status()).at("failure_reason") == "CHUNK_FAILED");
  }
  SECTION("cancelled") {
    REQUIRE(f.bench.On([&](Engine& engine) { return engine.Cancel(kOwner, song.separation_id()); })
                .ok());
    CHECK(absl::IsAborted(f.Plan(song, "drums").status()));
    CHECK(FailureOf(f.Plan(song, "drums")) == "SEPARATION_CANCELLED");
  }
}

TEST_CASE("an offset is the start of a frame inside the stem, or its end") {
  v1::PcmFormat pcm;
  pcm.set_channels(2);
  pcm.set_frames(200);
  CHECK(CheckFollowOffset(pcm, 0).ok());
  CHECK(CheckFollowOffset(pcm, 8).ok());
  CHECK(CheckFollowOffset(pcm, 1600).ok());
  for (int64_t offset : {-8, 1, 4, 1599, 1608}) {
    CAPTURE(offset);
    const absl::Status status = CheckFollowOffset(pcm, offset);
    CHECK(absl::IsOutOfRange(status));
    CHECK(base::ReasonOf(status) == "INVALID_OFFSET");
    CHECK_THAT(std::string(status.message()), Contains("1600 bytes of PCM in frames of 8 bytes"));
  }
  pcm.set_channels(1);
  CHECK(CheckFollowOffset(pcm, 4).ok());
}

TEST_CASE("Case 16: a follower of a mix that leaves the range of a float is told so") {
  Fixture f;
  Song song;
  song.sample = [](int64_t, int, int64_t, int) { return 2e38F; };
  f.bench.Begin(song);
  f.bench.SendChunk(song, 0);
  const int64_t joined = f.Joined(song);
  CHECK(f.Follow(song, "drums")->Next(joined).ok());
  const auto follower = f.Follow(song, "mix");
  REQUIRE(follower->CanGoOn(joined));
  CHECK(base::ReasonOf(follower->Next(joined).status()) == "OUTPUT_NOT_FINITE");
}

}  // namespace unbraid::assembler
