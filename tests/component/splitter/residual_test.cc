#include <catch2/catch.hpp>

#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "services/common/store/files.h"
#include "tests/component/splitter/harness.h"

namespace unbraid::splitter {
namespace {

using Record = FakeAssembler::Record;

// Separations that have a residual.
class ResidualTest : public Harness {
 protected:
  int64_t StartResidual(const v1::Track& track) {
    v1::Separation wanted;
    wanted.set_track(track.name());
    wanted.set_residual(true);
    const auto separation = Start(wanted);
    INFO(separation.status());
    REQUIRE(separation.ok());
    CHECK(separation->residual());
    return IdOf(*separation);
  }

  std::string SongPath(int64_t id) const {
    return config_.data + "/spools/" + std::to_string(id) + ".song.f32";
  }
};

// The track that UploadSong makes, as bytes of floats.
std::string SongBytes(int64_t frames, int channels) {
  std::string bytes;
  for (int64_t frame = 0; frame < frames; ++frame) {
    for (int channel = 0; channel < channels; ++channel) {
      const float sample = TestSample(frame, channel);
      bytes.append(reinterpret_cast<const char*>(&sample), sizeof(sample));
    }
  }
  return bytes;
}

TEST_CASE_METHOD(ResidualTest, "Case 6: the song is sent at its own rate before the plan") {
  const int rate_hz = GENERATE(44'100, 48'000);
  const int channels = GENERATE(1, 2);
  const int64_t frames = 150'000;  // several parts
  const int64_t id = StartResidual(UploadSong(frames, channels, rate_hz));
  REQUIRE(assembler_.Await(id, Separating));  // the assembler plans nothing without it
  CHECK(assembler_.Get(id).song == SongBytes(frames, channels));
  CHECK(assembler_.Get(id).songs == 1);
  CHECK(assembler_.Get(id).open.computed_stems_size() == 3);
  CHECK(sink_.AwaitTasks(1));
}

TEST_CASE_METHOD(ResidualTest, "without a residual no song is sent or kept") {
  const int64_t id = StartJob(UploadSong(kFrames, 2, 48'000));
  REQUIRE(assembler_.Await(id, Separating));
  CHECK(assembler_.Get(id).songs == 0);
  CHECK_FALSE(store::FileSize(SongPath(id)).ok());
}

TEST_CASE_METHOD(ResidualTest, "a song that the assembler cannot take now is sent again") {
  const auto [code, reason] = GENERATE(table<absl::StatusCode, const char*>({
      {absl::StatusCode::kResourceExhausted, "DISK_FULL"},
      {absl::StatusCode::kUnavailable, ""},
      {absl::StatusCode::kDataLoss, "CHECKSUM_MISMATCH"},
  }));
  assembler_.RefuseSongs({grpc_util::ToGrpc(base::Error(code, reason, "not now"))});
  const int64_t id = StartResidual(UploadSong(kFrames));
  REQUIRE(assembler_.Await(id, [](const Record& r) { return !r.waiting_for.empty(); }));
  CHECK(assembler_.Get(id).waiting_for.front() == "not now");
  REQUIRE(assembler_.Await(id, Separating));
  CHECK(assembler_.Get(id).song == SongBytes(kFrames, 2));
  CHECK(sink_.AwaitTasks(kChunks));
}

TEST_CASE_METHOD(ResidualTest, "a song that the assembler refuses ends the separation") {
  assembler_.RefuseSongs({grpc_util::ToGrpc(
      base::Error(absl::StatusCode::kInvalidArgument, "INVALID_SONG", "too short"))});
  const int64_t id = StartResidual(UploadSong(kFrames));
  REQUIRE(assembler_.Await(
      id, [](const Record& r) { return r.state == v1::Separation::STATE_FAILED; }));
  CHECK(assembler_.Get(id).failure.reason() == "INVALID_SONG");
  CHECK(assembler_.Get(id).failure.message() == "too short");
  REQUIRE(sink_.AwaitCancels(1));
  CHECK_FALSE(store::FileSize(SpoolPath(id)).ok());
}

TEST_CASE_METHOD(ResidualTest, "a song that the assembler has lost is sent again") {
  assembler_.LosePlannedSongs(1);
  const int64_t id = StartResidual(UploadSong(kFrames, 2, 48'000));
  REQUIRE(assembler_.Await(id, Separating));
  CHECK(assembler_.Get(id).songs == 2);
}

TEST_CASE_METHOD(ResidualTest, "cancelling ends a song on its way and frees the disk") {
  assembler_.HoldSongs();
  const int64_t id = StartResidual(UploadSong(500'000, 2, 48'000));
  REQUIRE(assembler_.AwaitSongsBegun(1));
  CHECK(store::FileSize(SongPath(id)).ok());
  assembler_.End(id, v1::Separation::STATE_CANCELLED);
  REQUIRE(assembler_.AwaitSongsCancelled(1));
  REQUIRE(sink_.AwaitCancels(1));
  CHECK_FALSE(store::FileSize(SongPath(id)).ok());
  CHECK_FALSE(store::FileSize(SpoolPath(id)).ok());
}

TEST_CASE_METHOD(ResidualTest, "a splitter that ends does not wait for a song on its way") {
  assembler_.HoldSongs();
  const int64_t id = StartResidual(UploadSong(500'000, 2, 48'000));
  REQUIRE(assembler_.AwaitSongsBegun(1));
  StopSplitter();
  REQUIRE(assembler_.AwaitSongsCancelled(1));
  assembler_.ServeSongs();
  StartSplitter();
  REQUIRE(assembler_.Await(id, Separating));
  CHECK(assembler_.Get(id).song == SongBytes(500'000, 2));
}

TEST_CASE_METHOD(ResidualTest, "after a restart a missing song is made and sent anew") {
  depths_.SetChunks(QueueCounts{8, 1});
  const int64_t id = StartResidual(UploadSong(kFrames, 2, 48'000));
  REQUIRE(assembler_.Await(id, Separating));
  StopSplitter();
  REQUIRE(store::RemoveAll(SongPath(id)).ok());
  depths_.SetChunks(QueueCounts{0, 1});
  StartSplitter();
  REQUIRE(sink_.AwaitTasks(kChunks));
  CHECK(assembler_.Get(id).songs == 2);
  CHECK(assembler_.Get(id).song == SongBytes(kFrames, 2));
}

}  // namespace
}  // namespace unbraid::splitter
