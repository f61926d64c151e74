#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>

#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "services/common/store/files.h"
#include "tests/component/splitter/harness.h"

namespace unbraid::splitter {
namespace {

using Stub = Harness::Stub;

constexpr int64_t kSongFrames = 4000;

struct Keeping : Harness {
  void Restart() {
    StopSplitter();
    StartSplitter();
  }
  absl::Status Find(const std::string& name) {
    v1::GetTrackRequest request;
    request.set_name(name);
    v1::Track track;
    return grpc_util::Call(stub(), &Stub::GetTrack, request, &track, "default");
  }
  // Asks until the answer is NOT_FOUND.
  template <typename Ask>
  static bool AwaitGone(Ask ask) {
    const absl::Time end = absl::Now() + kPatience;
    while (absl::Now() < end) {
      if (absl::IsNotFound(ask())) return true;
    }
    return false;
  }
  bool AwaitTrackGone(const v1::Track& track) {
    return AwaitGone([&] { return Find(track.name()); });
  }
  size_t FilesIn(const std::string& folder) const {
    const std::filesystem::directory_iterator files(config_.data + "/" + folder);
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }
  internal::v1::GetSplitterStatusResponse Status() {
    internal::v1::GetSplitterStatusResponse status;
    REQUIRE(grpc_util::Call(stub(), &Stub::GetSplitterStatus,
                            internal::v1::GetSplitterStatusRequest(), &status, "default")
                .ok());
    return status;
  }
};

TEST_CASE_METHOD(Keeping, "a track that nobody uses goes by itself, and may come again") {
  config_.track_retention = absl::Milliseconds(1);
  Restart();
  const v1::Track track = UploadSong(kSongFrames);
  CHECK(track.has_expire_time());
  REQUIRE(AwaitTrackGone(track));
  CHECK(FilesIn("tracks") == 0);
  v1::Separation wanted;
  wanted.set_track(track.name());
  CHECK(base::ReasonOf(Start(wanted).status()) == "UNKNOWN_TRACK");
  CHECK(UploadSong(kSongFrames).sha256() == track.sha256());
}

TEST_CASE_METHOD(Keeping, "a track stays while a separation reads it, and goes after that") {
  const v1::Track read = UploadSong(kSongFrames);
  const int64_t id = StartJob(read);
  config_.track_retention = absl::Milliseconds(1);
  Restart();
  const v1::Track idle = UploadSong(2 * kSongFrames);
  REQUIRE(AwaitTrackGone(idle));
  CHECK(Find(read.name()).ok());
  CHECK_FALSE(assembler_.Get(id).open.track().has_expire_time());
  assembler_.End(id, v1::Separation::STATE_SUCCEEDED);
  REQUIRE(AwaitTrackGone(read));
  CHECK(FilesIn("tracks") == 0);
}

TEST_CASE_METHOD(Keeping, "an abandoned upload goes while the splitter runs") {
  config_.upload_retention = absl::Milliseconds(1);
  Restart();
  REQUIRE(Upload("id", "0123456789", 5, 0, /*finish=*/false).ok());
  CHECK(AwaitGone([&] {
    v1::GetUploadRequest request;
    request.set_upload_id("id");
    v1::Upload upload;
    return grpc_util::Call(stub(), &Stub::GetUpload, request, &upload, "default");
  }));
  CHECK(FilesIn("uploads") == 0);
}

TEST_CASE_METHOD(Keeping, "a separation whose spool has no room is refused and not recorded") {
  const v1::Track track = UploadSong(kSongFrames);
  v1::Separation wanted;
  wanted.set_track(track.name());
  config_.min_free_bytes = int64_t{1} << 60;
  Restart();
  const auto refused = Start(wanted);
  CHECK(absl::IsResourceExhausted(refused.status()));
  CHECK(base::ReasonOf(refused.status()) == "DISK_FULL");
  CHECK(std::stoll(base::FactsOf(refused.status())["missing_bytes"]) > int64_t{1} << 59);
  CHECK(assembler_.opens() == 0);
  config_.min_free_bytes = 0;
  Restart();
  REQUIRE(Start(wanted).ok());
  CHECK(assembler_.opens() == 1);
}

TEST_CASE_METHOD(Keeping, "room is kept for the spools of separations that are not prepared yet") {
  constexpr int64_t kSpool = kSongFrames * 8;
  std::atomic<int64_t> free{2 * kSpool - 1000};
  free_bytes_ = [&free](const std::string&) { return free.load(); };
  Restart();
  v1::Separation wanted;
  wanted.set_track(UploadSong(kSongFrames).name());
  assembler_.StopServing();
  CHECK(absl::IsUnavailable(Start(wanted).status()));  // recorded, and let in by that
  wanted.add_stems("a");
  CHECK(base::FactsOf(Start(wanted).status())["missing_bytes"] == "1000");
  Restart();
  CHECK(base::FactsOf(Start(wanted).status())["missing_bytes"] == "1000");
  free = 2 * kSpool;
  CHECK(absl::IsUnavailable(Start(wanted).status()));
  StopSplitter();  // it looks at `free`
}

TEST_CASE_METHOD(Keeping, "a full disk keeps nobody from a separation that has succeeded") {
  const v1::Track track = UploadSong(kSongFrames);
  const int64_t id = StartJob(track);
  assembler_.End(id, v1::Separation::STATE_SUCCEEDED);
  REQUIRE(sink_.AwaitCancels(1));  // the end has arrived
  config_.min_free_bytes = int64_t{1} << 60;
  Restart();
  v1::Separation wanted;
  wanted.set_track(track.name());
  const auto known = Start(wanted);
  INFO(known.status());
  REQUIRE(known.ok());
  CHECK(known->state() == v1::Separation::STATE_SUCCEEDED);
  assembler_.EndSilently(id, v1::Separation::STATE_FAILED);
  CHECK(base::ReasonOf(Start(wanted).status()) == "DISK_FULL");
}

TEST_CASE_METHOD(Keeping, "the status tells of a disk that is nearly full, and of what is kept") {
  CHECK(Status().service().available());
  config_.min_free_bytes = int64_t{1} << 60;
  config_.track_retention = absl::Minutes(90);
  config_.owner_quota_bytes = 1000;
  Restart();
  const auto full = Status();
  CHECK_FALSE(full.service().available());
  CHECK_THAT(full.service().message(), Catch::Contains("the disk is nearly full"));
  CHECK(full.limits().track_retention().seconds() == 5400);
  CHECK(full.limits().upload_retention().seconds() == 24 * 3600);
  CHECK(full.limits().owner_quota_bytes() == 1000);
  config_.track_retention = absl::ZeroDuration();
  Restart();
  CHECK_FALSE(Status().limits().has_track_retention());
}

}  // namespace
}  // namespace unbraid::splitter
