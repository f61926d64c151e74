#include <catch2/catch.hpp>

#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "tests/component/assembler/harness.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;

constexpr int64_t kFrameBytes = 8;

// One DownloadStem call with `follow`.
class Follower {
 public:
  Follower(Harness* harness, const std::string& name, int64_t offset = 0)
      : context_(StreamContext()), offset_(offset) {
    v1::DownloadStemRequest request;
    request.set_name(name);
    request.set_read_offset(offset);
    request.set_follow(true);
    reader_ = harness->stub()->DownloadStem(context_.get(), request);
  }

  // The next message; false at the end of the stream.
  bool Next() {
    v1::DownloadStemResponse part;
    if (!reader_->Read(&part)) return false;
    CHECK(part.has_pcm() == (messages == 0));
    CHECK_FALSE(part.has_stem_file());
    CHECK(part.offset() == offset_ + static_cast<int64_t>(bytes.size()));
    CHECK(part.crc32c() == base::Crc32c(part.data()));
    if (messages++ == 0) pcm = part.pcm();
    bytes += part.data();
    return true;
  }
  // Reads until so many frames have come.
  void AwaitFrames(int64_t frames) {
    while (static_cast<int64_t>(bytes.size()) < frames * kFrameBytes) REQUIRE(Next());
  }
  absl::Status Finish() {
    while (Next()) {
    }
    return grpc_util::FromGrpc(reader_->Finish());
  }
  void Cancel() { context_->TryCancel(); }

  int messages = 0;
  std::string bytes;
  v1::PcmFormat pcm;

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::DownloadStemResponse>> reader_;
  const int64_t offset_;
};

std::string OutputBytes(Harness* harness, const Song& song, const std::string& stem) {
  const auto samples = Decode(harness->bench.PathOf(song, "out/" + stem + ".wav"), song.channels);
  return std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float));
}

constexpr char kDrums[] = "separations/123/stems/drums";
constexpr char kMix[] = "separations/123/stems/mix";

}  // namespace

TEST_CASE("a follower hears the format at once, and each frame as soon as it is final") {
  Harness harness;
  const Song song;
  internal::v1::OpenSeparationResponse opened;
  REQUIRE(harness.Open(song, &opened).ok());
  Follower drums(&harness, kDrums);
  Follower mix(&harness, kMix);
  REQUIRE(drums.Next());  // though the track is still being prepared
  REQUIRE(mix.Next());
  CHECK(drums.pcm.sample_rate_hz() == 44'100);
  CHECK(drums.pcm.channels() == 2);
  CHECK(drums.pcm.frames() == 200);
  CHECK(drums.bytes.empty());
  harness.bench.Begin(song);
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) {
    harness.bench.SendChunk(song, chunk);
    drums.AwaitFrames(std::min((chunk + 1) * 48, song.frames));
  }
  CHECK(drums.Finish().ok());
  CHECK(mix.Finish().ok());
  Recorder recorder;
  REQUIRE(harness.bench.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
  CHECK(drums.bytes == OutputBytes(&harness, song, "drums"));
  CHECK(mix.bytes == OutputBytes(&harness, song, "mix"));
}

TEST_CASE("a follower that comes in between, or after the end, gets the same bytes") {
  Harness harness;
  const Song song;
  harness.bench.Begin(song);
  for (int64_t chunk = 0; chunk < 3; ++chunk) harness.bench.SendChunk(song, chunk);
  Follower first(&harness, kDrums);
  Follower later(&harness, kDrums, 50 * kFrameBytes);
  first.AwaitFrames(3 * 48);
  later.AwaitFrames(3 * 48 - 50);
  for (int64_t chunk = 3; chunk < song.chunks(); ++chunk) harness.bench.SendChunk(song, chunk);
  CHECK(first.Finish().ok());
  CHECK(later.Finish().ok());
  Recorder recorder;
  REQUIRE(harness.bench.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
  const std::string whole = OutputBytes(&harness, song, "drums");
  CHECK(first.bytes == whole);
  CHECK(later.bytes == whole.substr(50 * kFrameBytes));
  Follower last(&harness, kDrums, 150 * kFrameBytes);
  CHECK(last.Finish().ok());
  CHECK(last.bytes == whole.substr(150 * kFrameBytes));
  Follower end(&harness, kDrums, 200 * kFrameBytes);
  CHECK(end.Finish().ok());
  CHECK(end.pcm.frames() == 200);
  CHECK(end.bytes.empty());
}

TEST_CASE("a slow follower takes its time, and still gets all though the files are removed") {
  Harness harness;
  Song song;
  song.window = 65'536;
  song.overlap = 8'192;
  song.frames = song.model_frames = 1'000'000;  // 8 MB: more than a connection holds
  harness.bench.Begin(song);
  Follower slow(&harness, kDrums);
  REQUIRE(slow.Next());
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) harness.bench.SendChunk(song, chunk);
  Recorder recorder;
  REQUIRE(harness.bench.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
  const std::string whole = OutputBytes(&harness, song, "drums");
  SECTION("the work is over") {}
  SECTION("the separation is deleted") {
    v1::DeleteSeparationRequest request;
    request.set_name("separations/123");
    google::protobuf::Empty empty;
    REQUIRE(harness.Call(&Harness::Stub::DeleteSeparation, request, &empty).ok());
  }
  CHECK(slow.Finish().ok());
  CHECK(slow.bytes == whole);
}

TEST_CASE("a follower of what fails or is cancelled is told so") {
  Harness harness;
  const Song song;
  harness.bench.Begin(song);
  harness.bench.SendChunk(song, 0);
  Follower follower(&harness, kDrums);
  follower.AwaitFrames(48);
  SECTION("failed") {
    for (int try_number : {1, 2}) REQUIRE(harness.bench.Send(song.Failure(1, try_number)).ok());
    const absl::Status end = follower.Finish();
    CHECK(absl::IsAborted(end));
    CHECK(base::ReasonOf(end) == "SEPARATION_FAILED");
    CHECK_THAT(std::string(end.message()), Contains("could not compute chunk 1"));
    Follower late(&harness, kDrums);
    CHECK(base::ReasonOf(late.Finish()) == "SEPARATION_FAILED");
    CHECK(late.messages == 0);
  }
  SECTION("cancelled") {
    REQUIRE(harness.Cancel(song).ok());
    const absl::Status end = follower.Finish();
    CHECK(absl::IsAborted(end));
    CHECK(base::ReasonOf(end) == "SEPARATION_CANCELLED");
    CHECK_THAT(std::string(end.message()), Contains("separations/123 was cancelled"));
  }
}

TEST_CASE("what cannot be followed is refused with a reason, before the first message") {
  Harness harness;
  const Song song;
  harness.bench.Begin(song);
  const std::vector<std::pair<std::string, std::string>> names = {
      {"separations/5/stems/drums", "UNKNOWN_SEPARATION"},
      {"separations/123/stems/residual", "UNKNOWN_STEM"},
      {"separations/123", "INVALID_NAME"}};
  for (const auto& [name, reason] : names) {
    Follower follower(&harness, name);
    CHECK(base::ReasonOf(follower.Finish()) == reason);
    CHECK(follower.messages == 0);
  }
  for (int64_t offset : {int64_t{4}, int64_t{-8}, int64_t{201} * kFrameBytes}) {
    Follower follower(&harness, kDrums, offset);
    const absl::Status status = follower.Finish();
    CHECK(absl::IsOutOfRange(status));
    CHECK(base::ReasonOf(status) == "INVALID_OFFSET");
  }
}

TEST_CASE("followers that go away at any moment disturb nobody") {
  Harness harness;
  const Song song;
  harness.bench.Begin(song);
  Follower patient(&harness, kDrums);
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) {
    Follower waiting(&harness, kDrums);
    Follower reading(&harness, kMix);
    REQUIRE(reading.Next());
    waiting.Cancel();
    harness.bench.SendChunk(song, chunk);
    reading.Cancel();
    CHECK(absl::IsCancelled(waiting.Finish()));
    const absl::Status end = reading.Finish();
    CHECK((end.ok() || absl::IsCancelled(end)));
  }
  CHECK(patient.Finish().ok());
  CHECK(patient.bytes.size() == 200 * kFrameBytes);
}

TEST_CASE("when the service ends its followers are told to come again from where they are") {
  Harness harness;
  const Song song;
  harness.bench.Begin(song);
  harness.bench.SendChunk(song, 0);
  Follower follower(&harness, kDrums);
  follower.AwaitFrames(48);
  harness.bench.hub.CloseAll();
  const absl::Status end = follower.Finish();
  CHECK(absl::IsUnavailable(end));
  CHECK(base::ReasonOf(end) == "BACKEND_UNAVAILABLE");
  CHECK_THAT(std::string(end.message()), Contains("from the byte that was reached"));
  CHECK(follower.bytes.size() == 48 * kFrameBytes);
  Follower late(&harness, kDrums);
  CHECK(absl::IsUnavailable(late.Finish()));
}

}  // namespace unbraid::assembler
