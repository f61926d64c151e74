#include "services/splitter/upload_call.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>

#include "services/common/base/crc32c.h"
#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

class UploadTest {
 protected:
  UploadTest() { Restart(); }

  // As after a crash: everything but the files is gone.
  void Restart() {
    uploads_.reset();
    tracks_ = *TrackStore::Open(folder_.path());
    room_ = std::make_unique<Room>(folder_.path(), min_free_bytes_);
    uploads_ = *Uploads::Create(folder_.path(), limits_, tracks_.get(), room_.get(), &metrics_);
  }

  std::string Song(int64_t frames = 2000) {
    return WriteSong(folder_.path() + "/song.wav", frames);
  }

  std::unique_ptr<UploadCall> Call() {
    return std::make_unique<UploadCall>(uploads_.get(), "default",
                                        [this](const absl::Status& s) { evicted_ = s; });
  }

  static v1::UploadTrackRequest Part(int64_t offset, const std::string& data, bool finish) {
    v1::UploadTrackRequest request;
    request.set_write_offset(offset);
    request.set_data(data);
    request.set_crc32c(base::Crc32c(data));
    request.set_finish_write(finish);
    return request;
  }

  static v1::UploadTrackRequest First(const std::string& id, int64_t offset,
                                      const std::string& data, bool finish) {
    v1::UploadTrackRequest request = Part(offset, data, finish);
    request.mutable_spec()->set_upload_id(id);
    request.mutable_spec()->set_display_name("label");
    return request;
  }

  absl::Status UploadWhole(const std::string& id, const std::string& bytes) {
    return Call()->Take(First(id, 0, bytes, true));
  }

  size_t FilesIn(const std::string& folder) {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(folder_.path() + "/" + folder)) {
      ++count;
    }
    return count;
  }

  test_support::TempDir folder_;
  UploadLimits limits_{audio::OpenInProcess};
  telemetry::Metrics metrics_;
  int64_t min_free_bytes_ = 0;
  std::unique_ptr<TrackStore> tracks_;
  std::unique_ptr<Room> room_;
  std::unique_ptr<Uploads> uploads_;
  std::optional<absl::Status> evicted_;
};

TEST_CASE_METHOD(UploadTest, "one message may be first and last at once") {
  const std::string song = Song();
  const auto call = Call();
  REQUIRE(call->Take(First("id", 0, song, true)).ok());
  REQUIRE(call->finished());
  const v1::Track& track = call->response().track();
  const auto digest = base::Sha256Of(song);
  CHECK(track.name() == base::TrackName(base::TrackId::FromDigest(digest)));
  CHECK(track.sha256() == base::ToHex(digest));
  CHECK(track.display_name() == "label");
  CHECK(track.size_bytes() == static_cast<int64_t>(song.size()));
  CHECK(track.container() == "WAV");
  CHECK(track.codec() == "PCM_S16");
  CHECK(track.sample_format() == v1::SAMPLE_FORMAT_S16);
  CHECK(track.frames() == 2000);
  CHECK(track.channels() == 2);
  CHECK(call->response().committed_size() == static_cast<int64_t>(song.size()));
  CHECK(FilesIn("uploads") == 0);
  CHECK(FilesIn("tracks") == 1);
}

TEST_CASE_METHOD(UploadTest, "an upload goes on at the committed size after a restart") {
  const std::string song = Song();
  REQUIRE(Call()->Take(First("id", 0, song.substr(0, 100), false)).ok());
  Restart();
  CHECK(uploads_->Get("default", "id")->committed_size() == 100);
  const auto call = Call();
  REQUIRE(call->Take(First("id", 100, song.substr(100, 500), false)).ok());
  REQUIRE(call->Take(Part(600, song.substr(600), true)).ok());
  CHECK(call->response().track().sha256() == base::ToHex(base::Sha256Of(song)));
}

TEST_CASE_METHOD(UploadTest, "a part at another offset is refused with the committed size") {
  const auto call = Call();
  REQUIRE(call->Take(First("id", 0, "abc", false)).ok());
  const absl::Status status = call->Take(Part(5, "x", false));
  CHECK(absl::IsOutOfRange(status));
  CHECK(base::ReasonOf(status) == "WRITE_OFFSET_MISMATCH");
  CHECK(base::FactsOf(status)["committed_size"] == "3");
}

TEST_CASE_METHOD(UploadTest, "a damaged part is refused and not kept") {
  v1::UploadTrackRequest request = First("id", 0, "abc", false);
  request.set_crc32c(1);
  const absl::Status status = Call()->Take(request);
  CHECK(absl::IsDataLoss(status));
  CHECK(base::ReasonOf(status) == "CHECKSUM_MISMATCH");
  CHECK(uploads_->Get("default", "id")->committed_size() == 0);
}

TEST_CASE_METHOD(UploadTest, "streams that break the grammar are refused") {
  CHECK(base::ReasonOf(Call()->Take(Part(0, "abc", false))) == "INVALID_UPLOAD");
  CHECK(base::ReasonOf(Call()->End()) == "INVALID_UPLOAD");
  const auto call = Call();
  REQUIRE(call->Take(First("id", 0, "abc", false)).ok());
  CHECK(call->End().ok());
  CHECK(base::ReasonOf(call->Take(First("id", 3, "abc", false))) == "INVALID_UPLOAD");
  const std::string large(kMaxPartBytes + 1, 'x');
  CHECK(base::ReasonOf(call->Take(Part(3, large, false))) == "INVALID_UPLOAD");
  const std::string song = Song();
  const auto finished = Call();
  REQUIRE(finished->Take(First("other", 0, song, true)).ok());
  CHECK(base::ReasonOf(finished->Take(Part(song.size(), "", true))) == "INVALID_UPLOAD");
}

TEST_CASE_METHOD(UploadTest, "a part of exactly 1 MiB is taken") {
  CHECK(Call()->Take(First("id", 0, std::string(kMaxPartBytes, 'x'), false)).ok());
}

TEST_CASE_METHOD(UploadTest, "ids and labels are checked") {
  CHECK(base::ReasonOf(Call()->Take(First("a/b", 0, "x", false))) == "INVALID_NAME");
  CHECK(base::ReasonOf(Call()->Take(First(std::string(65, 'x'), 0, "x", false))) == "INVALID_NAME");
  CHECK(base::ReasonOf(uploads_->Get("default", "../x").status()) == "INVALID_NAME");
  v1::UploadTrackRequest request = First("id", 0, "x", false);
  request.mutable_spec()->set_display_name(std::string(256, 'x'));
  CHECK(base::ReasonOf(Call()->Take(request)) == "INVALID_NAME");
}

TEST_CASE_METHOD(UploadTest, "an upload without an id gets one") {
  const auto call = Call();
  REQUIRE(call->Take(First("", 0, "abc", false)).ok());
  CHECK_FALSE(call->response().upload_id().empty());
  CHECK(uploads_->Get("default", call->response().upload_id())->committed_size() == 3);
}

TEST_CASE_METHOD(UploadTest, "a later stream takes over, and the earlier one is told") {
  const std::string song = Song();
  const auto first = Call();
  REQUIRE(first->Take(First("id", 0, song.substr(0, 10), false)).ok());
  const auto second = Call();
  REQUIRE(second->Take(First("id", 10, song.substr(10, 10), false)).ok());
  REQUIRE(evicted_);
  CHECK(absl::IsAborted(*evicted_));
  CHECK(base::ReasonOf(*evicted_) == "UPLOAD_TAKEN_OVER");
  CHECK(base::ReasonOf(first->Take(Part(10, "x", false))) == "UPLOAD_TAKEN_OVER");
  REQUIRE(second->Take(Part(20, song.substr(20), true)).ok());
  CHECK(second->response().track().sha256() == base::ToHex(base::Sha256Of(song)));
}

TEST_CASE_METHOD(UploadTest, "the same bytes are the same track, and cost no second file") {
  const std::string song = Song();
  REQUIRE(UploadWhole("one", song).ok());
  REQUIRE(UploadWhole("two", song).ok());
  CHECK(FilesIn("tracks") == 1);
  CHECK(FilesIn("uploads") == 0);
}

TEST_CASE_METHOD(UploadTest, "a finished upload tells its track to whoever asks again") {
  const std::string song = Song();
  REQUIRE(UploadWhole("id", song).ok());
  Restart();
  CHECK(uploads_->Get("default", "id")->track().frames() == 2000);
  const auto call = Call();
  REQUIRE(call->Take(First("id", song.size(), "", true)).ok());
  CHECK(call->response().track().frames() == 2000);
  CHECK(base::ReasonOf(uploads_->Get("somebody", "id").status()) == "UNKNOWN_UPLOAD");
}

TEST_CASE_METHOD(UploadTest, "Case 35: a file over the limit is refused with the limit in bytes") {
  limits_.max_bytes = 1000;
  Restart();
  v1::UploadTrackRequest request = First("id", 0, "x", false);
  request.mutable_spec()->set_total_bytes(1001);
  absl::Status status = Call()->Take(request);
  CHECK(absl::IsResourceExhausted(status));
  CHECK(base::ReasonOf(status) == "FILE_TOO_LARGE");
  CHECK(base::FactsOf(status)["limit_bytes"] == "1000");
  CHECK(status.message().find("1000 bytes") != absl::string_view::npos);
  // The same without an announcement; what was brought does not stay.
  const auto call = Call();
  REQUIRE(call->Take(First("id", 0, std::string(1000, 'x'), false)).ok());
  CHECK(base::ReasonOf(call->Take(Part(1000, "x", false))) == "FILE_TOO_LARGE");
  CHECK(FilesIn("uploads") == 0);
}

TEST_CASE_METHOD(UploadTest, "Case 35: a track over the limit is refused with it in minutes") {
  limits_.max_duration = absl::Minutes(1);
  Restart();
  const std::string song = WriteSong(folder_.path() + "/l.wav", 8000 * 60 + 1, 8000, 1);
  const auto call = Call();
  REQUIRE(call->Take(First("id", 0, song.substr(0, kMaxPartBytes), false)).ok());
  const auto rest = static_cast<int64_t>(call->response().committed_size());
  const absl::Status status = call->Take(Part(rest, song.substr(static_cast<size_t>(rest)), true));
  CHECK(absl::IsResourceExhausted(status));
  CHECK(base::ReasonOf(status) == "TOO_LONG");
  CHECK(base::FactsOf(status)["limit_minutes"] == "1");
  CHECK(FilesIn("uploads") == 0);
  CHECK(FilesIn("tracks") == 0);
}

TEST_CASE_METHOD(UploadTest,
                 "Case 32, 33: what is no audio is refused with a reason, and removed") {
  CHECK(base::ReasonOf(UploadWhole("empty", "")) == "EMPTY_FILE");
  CHECK(base::ReasonOf(UploadWhole("text", "just a text, whatever its name")) == "UNKNOWN_FORMAT");
  const std::string song = Song(50'000);
  CHECK(base::ReasonOf(UploadWhole("header", song.substr(0, 44))) != "");
  CHECK(FilesIn("uploads") == 0);
  CHECK(FilesIn("tracks") == 0);
}

TEST_CASE_METHOD(UploadTest,
                 "Case 16: samples that are no numbers are silenced for who asks only") {
  std::string song =
      WriteSong(folder_.path() + "/f.wav", 100, 44'100, 2, audio::SampleFormat::kF32);
  song.replace(song.find("data") + 8, 4, std::string("\0\0\xC0\x7F", 4));  // NaN
  CHECK(base::ReasonOf(UploadWhole("refuse", song)) == "NON_FINITE_SAMPLE");
  v1::UploadTrackRequest request = First("silence", 0, song, true);
  request.mutable_spec()->set_non_finite_samples(v1::UploadSpec::NON_FINITE_SAMPLES_SILENCE);
  const auto call = Call();
  REQUIRE(call->Take(request).ok());
  CHECK(call->response().track().silenced_samples() == 1);
  // The track is there now, and still not what another one wants.
  CHECK(base::ReasonOf(UploadWhole("refuse-again", song)) == "NON_FINITE_SAMPLE");
  CHECK(FilesIn("tracks") == 1);
  request.mutable_spec()->set_upload_id("silence-again");
  CHECK(Call()->Take(request).ok());
}

TEST_CASE_METHOD(UploadTest, "a stream that is shorter than it said is refused but can go on") {
  const std::string song = Song();
  v1::UploadTrackRequest request = First("id", 0, song.substr(0, 100), true);
  request.mutable_spec()->set_total_bytes(static_cast<int64_t>(song.size()));
  CHECK(base::ReasonOf(Call()->Take(request)) == "INVALID_UPLOAD");
  CHECK(uploads_->Get("default", "id")->committed_size() == 100);
}

TEST_CASE_METHOD(UploadTest, "a disk without room refuses new uploads") {
  min_free_bytes_ = int64_t{1} << 60;
  Restart();
  const absl::Status status = Call()->Take(First("id", 0, "abc", false));
  CHECK(absl::IsResourceExhausted(status));
  CHECK(base::ReasonOf(status) == "DISK_FULL");
}

TEST_CASE_METHOD(UploadTest, "at shutdown streams are told to come back") {
  const auto call = Call();
  REQUIRE(call->Take(First("id", 0, "abc", false)).ok());
  uploads_->Drain();
  REQUIRE(evicted_);
  CHECK(absl::IsUnavailable(*evicted_));
  CHECK(absl::IsUnavailable(Call()->Take(First("id", 3, "d", false))));
}

TEST_CASE_METHOD(UploadTest, "uploads that nobody goes on with are removed in the end") {
  REQUIRE(Call()->Take(First("id", 0, "abc", false)).ok());
  limits_.retention = absl::ZeroDuration();
  Restart();
  CHECK(base::ReasonOf(uploads_->Get("default", "id").status()) == "UNKNOWN_UPLOAD");
}

}  // namespace
}  // namespace unbraid::splitter
