#include <catch2/catch.hpp>
#include <filesystem>

#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/splitter/upload_call.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

// Uploads to a disk whose free room the test says, in a time that it makes.
class SpaceTest {
 protected:
  SpaceTest() {
    limits_.clock = [this] { return absl::Now() + later_; };
    Restart();
  }

  void Restart() {
    uploads_.reset();
    room_.reset();
    tracks_ = *TrackStore::Open(folder_.path());
    room_ = std::make_unique<Room>(folder_.path(), 0, [this](const std::string&) { return free_; });
    room_->Count([this] { return prepared_later_; });
    uploads_ = *Uploads::Create(folder_.path(), limits_, tracks_.get(), room_.get(), &metrics_);
  }

  std::unique_ptr<UploadCall> Call(const std::string& owner = "me") {
    return std::make_unique<UploadCall>(uploads_.get(), owner, nullptr);
  }

  static v1::UploadTrackRequest Part(int64_t offset, const std::string& data, bool finish = false) {
    v1::UploadTrackRequest request;
    request.set_write_offset(offset);
    request.set_data(data);
    request.set_finish_write(finish);
    return request;
  }

  static v1::UploadTrackRequest First(const std::string& id, int64_t total, const std::string& data,
                                      bool finish = false, int64_t offset = 0) {
    v1::UploadTrackRequest request = Part(offset, data, finish);
    request.mutable_spec()->set_upload_id(id);
    request.mutable_spec()->set_total_bytes(total);
    return request;
  }

  std::string Song() { return WriteSong(folder_.path() + "/song.wav", 2000); }

  bool Empty() const { return std::filesystem::is_empty(folder_.path() + "/uploads"); }

  test_support::TempDir folder_;
  UploadLimits limits_{audio::OpenInProcess};
  telemetry::Metrics metrics_;
  int64_t free_ = int64_t{1} << 40;
  int64_t prepared_later_ = 0;
  absl::Duration later_;
  std::unique_ptr<TrackStore> tracks_;
  std::unique_ptr<Room> room_;
  std::unique_ptr<Uploads> uploads_;
};

TEST_CASE_METHOD(SpaceTest, "Case 36: an upload without room is refused at its first part") {
  free_ = 1000;
  const absl::Status refused = Call()->Take(First("id", 1500, "abc"));
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(base::ReasonOf(refused) == "DISK_FULL");
  CHECK(base::FactsOf(refused)["missing_bytes"] == "500");
  CHECK(Empty());
  CHECK(base::ReasonOf(uploads_->Get("me", "id").status()) == "UNKNOWN_UPLOAD");
  free_ = 1500;
  CHECK(Call()->Take(First("id", 1500, "abc")).ok());
}

TEST_CASE_METHOD(SpaceTest, "room is kept for running uploads and for preparations") {
  free_ = 1000;
  prepared_later_ = 300;
  const auto first = Call();
  REQUIRE(first->Take(First("one", 500, std::string(100, 'x'))).ok());
  free_ -= 100;
  CHECK(base::FactsOf(Call()->Take(First("two", 201, "x")))["missing_bytes"] == "1");
  CHECK(Call()->Take(First("two", 200, "x")).ok());  // and its stream ends here
  // What was let in goes on, though new work would be refused.
  CHECK(first->Take(Part(100, std::string(400, 'x'))).ok());
  CHECK(base::ReasonOf(Call()->Take(First("three", 700, "x"))) == "DISK_FULL");
}

TEST_CASE_METHOD(SpaceTest, "a stream that is gone keeps no room, and one that comes back asks") {
  free_ = 1000;
  REQUIRE(Call()->Take(First("one", 900, std::string(100, 'x'))).ok());
  free_ -= 100;
  const auto other = Call();
  REQUIRE(other->Take(First("two", 900, "x")).ok());
  const auto resumed = Call();
  const absl::Status refused = resumed->Take(First("one", 900, "y", false, 100));
  CHECK(base::FactsOf(refused)["missing_bytes"] == "799");  // the other lacks 899 of 900
  CHECK(uploads_->Get("me", "one")->committed_size() == 100);
}

TEST_CASE_METHOD(SpaceTest, "a stream that takes its own upload over needs the room but once") {
  free_ = 1000;
  const auto first = Call();
  REQUIRE(first->Take(First("id", 1000, std::string(10, 'x'))).ok());
  free_ -= 10;
  CHECK(Call()->Take(First("id", 1000, "x", false, 10)).ok());
}

TEST_CASE_METHOD(SpaceTest, "a stream that told no size gets what nobody else was promised") {
  constexpr int64_t kMega = int64_t{1} << 20;
  free_ = 100 * kMega;
  const auto known = Call();
  REQUIRE(known->Take(First("known", 95 * kMega, "x")).ok());
  const auto unknown = Call();
  REQUIRE(unknown->Take(First("unknown", 0, std::string(kMega, 'x'))).ok());
  absl::Status status;
  int64_t sent = kMega;
  for (; status.ok() && sent < 50 * kMega; sent += kMega) {
    free_ -= kMega;
    status = unknown->Take(Part(sent, std::string(kMega, 'x')));
  }
  CHECK(base::ReasonOf(status) == "DISK_FULL");
  CHECK(sent == 16 * kMega);  // it is looked at every 16 MiB
}

TEST_CASE_METHOD(SpaceTest,
                 "an owner's quota counts tracks, unfinished uploads and what is coming") {
  const std::string song = Song();
  const auto size = static_cast<int64_t>(song.size());
  limits_.owner_quota_bytes = size + 1000;
  Restart();
  REQUIRE(Call()->Take(First("song", size, song, true)).ok());
  const auto coming = Call();
  REQUIRE(coming->Take(First("coming", 600, "x")).ok());
  REQUIRE(Call()->Take(First("stopped", 0, std::string(100, 'x'))).ok());
  const absl::Status refused = Call()->Take(First("next", 301, "x"));
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(base::ReasonOf(refused) == "QUOTA_EXCEEDED");
  auto facts = base::FactsOf(refused);
  CHECK(facts["limit_bytes"] == std::to_string(size + 1000));
  CHECK(facts["used_bytes"] == std::to_string(size + 700));
  CHECK(facts["missing_bytes"] == "1");
  CHECK(Call()->Take(First("next", 300, "x")).ok());
  CHECK(Call("somebody")->Take(First("next", 301, "x")).ok());
}

TEST_CASE_METHOD(SpaceTest, "the quota holds for streams that told no size, and too small a one") {
  limits_.owner_quota_bytes = 1000;
  Restart();
  const int64_t told = GENERATE(0, 10);
  const auto call = Call();
  REQUIRE(call->Take(First("id", told, std::string(900, 'x'))).ok());
  const absl::Status refused = call->Take(Part(900, std::string(101, 'x')));
  CHECK(base::ReasonOf(refused) == "QUOTA_EXCEEDED");
  CHECK(uploads_->Get("me", "id")->committed_size() == 900);
}

TEST_CASE_METHOD(SpaceTest, "quotas are known over restarts, and deleting makes room in them") {
  const std::string song = Song();
  const auto size = static_cast<int64_t>(song.size());
  limits_.owner_quota_bytes = size + 100;
  Restart();
  auto call = Call();
  REQUIRE(call->Take(First("song", size, song, true)).ok());
  const auto track = base::ParseTrackName(call->response().track().name());
  call.reset();
  REQUIRE(Call()->Take(First("rest", 0, std::string(60, 'x'))).ok());
  Restart();
  CHECK(base::FactsOf(Call()->Take(First("new", 50, "x")))["missing_bytes"] == "10");
  REQUIRE(tracks_->Delete(*track).ok());
  CHECK(Call()->Take(First("new", 50, "x")).ok());
}

TEST_CASE_METHOD(SpaceTest, "what was refused for its content counts no more") {
  limits_.owner_quota_bytes = 1000;
  Restart();
  CHECK(base::ReasonOf(Call()->Take(First("id", 0, std::string(900, 'x'), true))) ==
        "UNKNOWN_FORMAT");
  CHECK(Call()->Take(First("id", 1000, "x")).ok());
  Restart();
  CHECK(tracks_->UnfinishedUploads()->size() == 1);
}

TEST_CASE_METHOD(SpaceTest, "abandoned uploads go by the clock, without anybody uploading") {
  limits_.owner_quota_bytes = 1000;
  Restart();
  REQUIRE(Call()->Take(First("id", 0, std::string(900, 'x'))).ok());
  later_ = limits_.retention - absl::Minutes(1);
  uploads_->Sweep();
  CHECK(uploads_->Get("me", "id")->committed_size() == 900);
  later_ = limits_.retention + absl::Hours(1);
  uploads_->Sweep();
  CHECK(base::ReasonOf(uploads_->Get("me", "id").status()) == "UNKNOWN_UPLOAD");
  CHECK(Empty());
  CHECK(tracks_->UnfinishedUploads()->empty());
  CHECK(Call()->Take(First("other", 1000, "x")).ok());  // the quota is free again
}

TEST_CASE_METHOD(SpaceTest, "a stream that brings nothing is ended, and goes on later") {
  limits_.max_silence = absl::ZeroDuration();
  Restart();
  absl::Status evicted;
  UploadCall silent(uploads_.get(), "me", [&](const absl::Status& status) { evicted = status; });
  REQUIRE(silent.Take(First("id", 0, "abc")).ok());
  uploads_->EndSilent();
  CHECK(absl::IsUnavailable(evicted));
  CHECK(base::ReasonOf(evicted) == "UPLOAD_SILENT");
  CHECK(uploads_->Get("me", "id")->committed_size() == 3);
}

TEST_CASE_METHOD(SpaceTest, "a stream that brings something is not ended") {
  absl::Status evicted;
  UploadCall busy(uploads_.get(), "me", [&](const absl::Status& status) { evicted = status; });
  REQUIRE(busy.Take(First("id", 0, "abc")).ok());
  uploads_->EndSilent();
  CHECK(evicted.ok());
}

TEST_CASE_METHOD(SpaceTest, "only so many streams at a time are taken") {
  limits_.max_streams = 1;
  Restart();
  auto call = Call();
  REQUIRE(call->Take(First("id", 0, "abc")).ok());
  CHECK(base::ReasonOf(Call()->Take(First("other", 0, "abc"))) == "OVERLOADED");
  CHECK(Call()->Take(First("id", 0, "d", false, 3)).ok());  // takes over
  call.reset();
  CHECK(Call()->Take(First("other", 0, "abc")).ok());
}

TEST_CASE_METHOD(SpaceTest, "an upload that a stream holds open is not abandoned") {
  const auto call = Call();
  REQUIRE(call->Take(First("id", 0, "abc")).ok());
  later_ = 2 * limits_.retention;
  uploads_->Sweep();
  CHECK(call->Take(Part(3, "d")).ok());
}

}  // namespace
}  // namespace unbraid::splitter
