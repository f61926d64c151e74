#include <catch2/catch.hpp>
#include <filesystem>

#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "tests/component/assembler/harness.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;
using internal::v1::PutSongRequest;

// One PutSong call.
class SongStream {
 public:
  explicit SongStream(Harness* harness) : context_(StreamContext()) {
    writer_ = harness->stub()->PutSong(context_.get(), &empty_);
  }
  // False: the assembler has answered.
  bool Write(const PutSongRequest& part) { return writer_->Write(part); }
  void Cancel() { context_->TryCancel(); }
  absl::Status Finish() {
    writer_->WritesDone();
    return grpc_util::FromGrpc(writer_->Finish());
  }

 private:
  google::protobuf::Empty empty_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientWriter<PutSongRequest>> writer_;
};

struct Fixture {
  Fixture() {
    song.residual = true;
    song.window = 65'536;
    song.overlap = 8'192;
    song.frames = song.model_frames = 130'000;  // about a megabyte
    parts = song.SongParts(kPartFrames);
    Open();
  }

  void Open() {
    internal::v1::OpenSeparationResponse opened;
    REQUIRE(harness.Open(song, &opened).ok());
  }
  absl::Status Put() {
    SongStream stream(&harness);
    for (const PutSongRequest& part : parts) {
      if (!stream.Write(part)) break;
    }
    return stream.Finish();
  }
  absl::Status Plan() {
    google::protobuf::Empty empty;
    return harness.Call(&Harness::Stub::PlanSeparation, song.Plan(), &empty);
  }
  int Incoming() {
    const std::string folder = harness.bench.PathOf(song, "incoming");
    if (!std::filesystem::exists(folder)) return 0;
    const std::filesystem::directory_iterator files(folder);
    return static_cast<int>(std::distance(begin(files), end(files)));
  }

  static constexpr int64_t kPartFrames = 32'768;  // 256 KiB
  Song song;
  std::vector<PutSongRequest> parts;
  Harness harness;
};

}  // namespace

TEST_CASE("Case 6: a song that was put lets the separation be planned, and its residual be made") {
  Fixture f;
  CHECK(base::ReasonOf(f.Plan()) == "SONG_MISSING");
  REQUIRE(f.Put().ok());
  REQUIRE(f.Plan().ok());
  CHECK(f.Incoming() == 0);
  for (int64_t chunk = 0; chunk < f.song.chunks(); ++chunk)
    f.harness.bench.SendChunk(f.song, chunk);
  Recorder recorder;
  REQUIRE(f.harness.bench.Await(f.song, &recorder, v1::Separation::STATE_SUCCEEDED));
  CHECK(f.harness.bench.Get(f.song).outputs(5).stem() == "residual");
}

TEST_CASE("a song that is there already is answered at once") {
  Fixture f;
  REQUIRE(f.Put().ok());
  SongStream again(&f.harness);
  REQUIRE(again.Write(f.parts.front()));
  CHECK(again.Finish().ok());  // though the rest never comes
}

TEST_CASE("two songs at once disturb each other in nothing") {
  Fixture f;
  SongStream one(&f.harness);
  SongStream two(&f.harness);
  for (const PutSongRequest& part : f.parts) {
    REQUIRE(one.Write(part));
    REQUIRE(two.Write(part));
  }
  CHECK(one.Finish().ok());
  CHECK(two.Finish().ok());
  CHECK(f.Incoming() == 0);
  CHECK(ReadAll(f.harness.bench.PathOf(f.song, "song")).size() == 130'000 * 8);
  CHECK(f.Plan().ok());
}

TEST_CASE("songs that cannot be taken are refused with code and reason, and leave no file") {
  Fixture f;
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
  std::string reason = "INVALID_SONG";
  std::string words;
  SECTION("no such separation") {
    f.parts.front().set_separation_id(9);
    code = absl::StatusCode::kNotFound;
    reason = "UNKNOWN_SEPARATION";
  }
  SECTION("another attempt") {
    f.parts.front().set_attempt(2);
    code = absl::StatusCode::kAborted;
    reason = "STALE_ATTEMPT";
  }
  SECTION("damaged on the way") {
    f.parts[2].set_crc32c(7);
    code = absl::StatusCode::kDataLoss;
    reason = "CHECKSUM_MISMATCH";
    words = "byte 524288 arrived damaged";
  }
  SECTION("too short") {
    f.parts.pop_back();
    words = "ended after 98304 frames; the track has 130000";
  }
  SECTION("too long") {
    f.parts.push_back(f.parts[1]);
    words = "longer than the track's 130000 frames";
  }
  SECTION("nothing at all") {
    f.parts.clear();
    words = "ended before its first message";
  }
  const absl::Status refused = f.Put();
  CHECK(refused.code() == code);
  CHECK(base::ReasonOf(refused) == reason);
  CHECK_THAT(std::string(refused.message()), Contains(words));
  CHECK(f.Incoming() == 0);
  CHECK(base::ReasonOf(f.Plan()) == "SONG_MISSING");
}

TEST_CASE("Case 24: cancelling or deleting ends a song on its way, and leaves no file") {
  Fixture f;
  SongStream stream(&f.harness);
  REQUIRE(stream.Write(f.parts[0]));
  bool anew = false;
  SECTION("cancelled") { REQUIRE(f.harness.Cancel(f.song).ok()); }
  SECTION("cancelled and started anew") {
    REQUIRE(f.harness.Cancel(f.song).ok());
    f.Open();
    anew = true;
  }
  SECTION("deleted") {
    v1::DeleteSeparationRequest removal;
    removal.set_name("separations/123");
    google::protobuf::Empty empty;
    REQUIRE(f.harness.Call(&Harness::Stub::DeleteSeparation, removal, &empty).ok());
  }
  for (size_t i = 1; i < f.parts.size() && stream.Write(f.parts[i]); ++i) {
  }
  const absl::Status ended = stream.Finish();
  // Whether the first part came before the end or behind it.
  const std::string reason = base::ReasonOf(ended);
  CHECK((reason == "STALE_ATTEMPT" || reason == "UNKNOWN_SEPARATION"));
  CHECK_FALSE(std::filesystem::exists(f.harness.bench.PathOf(f.song, "")));
  CHECK(std::filesystem::exists(f.harness.bench.PathOf(f.song, "chunks", 2)) == anew);
}

TEST_CASE("a splitter that goes away in the middle of a song leaves no file") {
  Fixture f;
  {
    SongStream stream(&f.harness);
    REQUIRE(stream.Write(f.parts[0]));
    stream.Cancel();
    CHECK_FALSE(stream.Finish().ok());
  }
  f.harness.Drain();
  CHECK(f.Incoming() == 0);
  CHECK_FALSE(std::filesystem::exists(f.harness.bench.PathOf(f.song, "song")));
}

}  // namespace unbraid::assembler
