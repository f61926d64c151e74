#include <catch2/catch.hpp>

#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "tests/component/assembler/harness.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;

// One DownloadStem call, read to its end and checked on the way.
struct Download {
  Download(Harness* harness, const std::string& name, int64_t offset = 0,
           const std::string& owner = kOwner) {
    const auto context = StreamContext(owner);
    v1::DownloadStemRequest request;
    request.set_name(name);
    request.set_read_offset(offset);
    const auto reader = harness->stub()->DownloadStem(context.get(), request);
    v1::DownloadStemResponse part;
    while (reader->Read(&part)) {
      CHECK(part.has_stem_file() == (parts == 0));
      if (parts++ == 0) file = part.stem_file();
      CHECK(part.offset() == offset + static_cast<int64_t>(bytes.size()));
      CHECK(part.data().size() <= 256U << 10);
      CHECK(part.crc32c() == base::Crc32c(part.data()));
      bytes += part.data();
    }
    status = grpc_util::FromGrpc(reader->Finish());
  }

  std::string bytes;
  v1::StemFile file;
  int parts = 0;
  absl::Status status;
};

// Files of about a megabyte.
Song LongSong() {
  Song song;
  song.window = 65'536;
  song.overlap = 8'192;
  song.frames = song.model_frames = 130'000;
  return song;
}

}  // namespace

TEST_CASE("a stem is downloaded whole, in parts with offset and checksum") {
  Harness harness;
  const Song song = LongSong();
  harness.bench.Complete(song);
  const Download download(&harness, "separations/123/stems/vocals");
  REQUIRE(download.status.ok());
  CHECK(download.parts == 4);
  CHECK(download.bytes == ReadAll(harness.bench.PathOf(song, "out/vocals.wav")));
  CHECK(download.file.size_bytes() == static_cast<int64_t>(download.bytes.size()));
  CHECK(download.file.name() == "separations/123/stems/vocals");
}

TEST_CASE("a download goes on from any offset, also from the very end") {
  Harness harness;
  const Song song = LongSong();
  harness.bench.Complete(song);
  const std::string whole = ReadAll(harness.bench.PathOf(song, "out/mix.wav"));
  for (size_t offset : {size_t{1}, size_t{262'144}, whole.size() - 1, whole.size()}) {
    const Download download(&harness, "separations/123/stems/mix", static_cast<int64_t>(offset));
    CHECK(download.status.ok());
    CHECK(download.bytes == whole.substr(offset));
    CHECK(download.file.size_bytes() == static_cast<int64_t>(whole.size()));
  }
}

TEST_CASE("downloads that cannot be are refused with a reason") {
  Harness harness;
  const Song song;
  harness.bench.Begin(song);
  const Download early(&harness, "separations/123/stems/vocals");
  CHECK(absl::IsFailedPrecondition(early.status));
  CHECK(base::ReasonOf(early.status) == "NOT_READY");
  CHECK(harness.Cancel(song).ok());
  Song done;
  done.id = 124;
  harness.bench.Complete(done);
  const Download stem(&harness, "separations/124/stems/guitar");
  CHECK(base::ReasonOf(stem.status) == "UNKNOWN_STEM");
  CHECK_THAT(std::string(stem.status.message()), Contains("drums, bass, other, vocals, mix"));
  const Download missing(&harness, "separations/5/stems/vocals");
  CHECK(base::ReasonOf(missing.status) == "UNKNOWN_SEPARATION");
  const Download foreign(&harness, "separations/124/stems/vocals", 0, "eve");
  CHECK(base::ReasonOf(foreign.status) == "UNKNOWN_SEPARATION");
  const Download nonsense(&harness, "separations/124/stems/../../x");
  CHECK(base::ReasonOf(nonsense.status) == "INVALID_NAME");
  for (int64_t offset : {int64_t{-1}, int64_t{1} << 40}) {
    const Download beyond(&harness, "separations/124/stems/vocals", offset);
    CHECK(absl::IsOutOfRange(beyond.status));
    CHECK(base::ReasonOf(beyond.status) == "INVALID_OFFSET");
  }
}

TEST_CASE("a client that goes away in the middle of a download disturbs nobody") {
  Harness harness;
  const Song song = LongSong();
  harness.bench.Complete(song);
  for (int i = 0; i < 5; ++i) {
    const auto context = StreamContext();
    v1::DownloadStemRequest request;
    request.set_name("separations/123/stems/vocals");
    const auto reader = harness.stub()->DownloadStem(context.get(), request);
    v1::DownloadStemResponse part;
    REQUIRE(reader->Read(&part));
    context->TryCancel();
    CHECK(reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
  }
  CHECK(Download(&harness, "separations/123/stems/vocals").status.ok());
}

TEST_CASE("only so many read at a time, and who comes later has the place of who has gone") {
  Harness harness(nullptr, /*most_readers=*/1);
  const Song song = LongSong();
  harness.bench.Complete(song);
  Song running = song;
  running.id = 124;
  harness.bench.Begin(running);
  const auto context = StreamContext();
  v1::DownloadStemRequest request;
  request.set_name("separations/124/stems/vocals");
  request.set_follow(true);  // until it is cancelled
  const auto reader = harness.stub()->DownloadStem(context.get(), request);
  v1::DownloadStemResponse part;
  REQUIRE(reader->Read(&part));
  const Download refused(&harness, "separations/123/stems/vocals");
  CHECK(absl::IsResourceExhausted(refused.status));
  CHECK(base::ReasonOf(refused.status) == "OVERLOADED");
  const auto second = StreamContext();
  const auto follower = harness.stub()->DownloadStem(second.get(), request);
  CHECK_FALSE(follower->Read(&part));
  CHECK(follower->Finish().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  context->TryCancel();
  while (reader->Read(&part)) {
  }
  (void)reader->Finish();
  const absl::Time patience = absl::Now() + kPatience;
  absl::Status status;
  do {
    status = Download(&harness, "separations/123/stems/vocals").status;
  } while (!status.ok() && absl::Now() < patience);
  CHECK(status.ok());
}

TEST_CASE("a download that has begun goes on though the separation is deleted") {
  Harness harness;
  const Song song = LongSong();
  harness.bench.Complete(song);
  const std::string whole = ReadAll(harness.bench.PathOf(song, "out/vocals.wav"));
  const auto context = StreamContext();
  v1::DownloadStemRequest request;
  request.set_name("separations/123/stems/vocals");
  const auto reader = harness.stub()->DownloadStem(context.get(), request);
  v1::DownloadStemResponse part;
  REQUIRE(reader->Read(&part));
  std::string bytes = part.data();
  v1::DeleteSeparationRequest removal;
  removal.set_name("separations/123");
  google::protobuf::Empty empty;
  REQUIRE(harness.Call(&Harness::Stub::DeleteSeparation, removal, &empty).ok());
  while (reader->Read(&part)) bytes += part.data();
  CHECK(reader->Finish().ok());
  CHECK(bytes == whole);
}

}  // namespace unbraid::assembler
