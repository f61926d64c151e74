// The splitter on a disk that forgets what was not synced: whatever it has answered for is there.
#include <catch2/catch.hpp>
#include <filesystem>

#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "services/splitter/job_store.h"
#include "services/splitter/preparation.h"
#include "services/splitter/spools.h"
#include "services/splitter/upload_call.h"
#include "tests/support/forgetful_scope.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

class PowerCutTest {
 protected:
  PowerCutTest() { Start(); }

  void Start() {
    tracks_ = *TrackStore::Open(disk_.folder());
    room_ = std::make_unique<Room>(disk_.folder(), 0);
    uploads_ = *Uploads::Create(disk_.folder(), limits_, tracks_.get(), room_.get(), &metrics_);
    jobs_ = *JobStore::Open(disk_.folder());
  }

  void CutPower() {
    jobs_.reset();
    uploads_.reset();
    room_.reset();
    tracks_.reset();
    disk_.Cut();
    Start();
  }

  // Sends the bytes from `offset` on, in parts.
  absl::Status Send(UploadCall* call, int64_t offset, int64_t end, bool finish) {
    constexpr int64_t kPart = 1000;
    bool first = true;
    while (offset < end) {
      const int64_t bytes = std::min(kPart, end - offset);
      v1::UploadTrackRequest part;
      if (first) part.mutable_spec()->set_upload_id("id");
      first = false;
      part.set_write_offset(offset);
      part.set_data(song_.substr(static_cast<size_t>(offset), static_cast<size_t>(bytes)));
      offset += bytes;
      part.set_finish_write(finish && offset == end);
      UNBRAID_RETURN_IF_ERROR(call->Take(part));
    }
    return absl::OkStatus();
  }

  // The bytes that are there after a power cut, once so many were told of; then the rest is
  // brought.
  void CheckGoesOnAfter(int64_t told) {
    CutPower();
    const auto upload = uploads_->Get("default", "id");
    INFO(upload.status());
    REQUIRE(upload.ok());
    REQUIRE(upload->committed_size() >= told);
    UploadCall call(uploads_.get(), "default", nullptr);
    REQUIRE(Send(&call, upload->committed_size(), size(), /*finish=*/true).ok());
    CHECK(call.response().track().sha256() == base::ToHex(base::Sha256Of(song_)));
  }

  v1::Track UploadAll() {
    UploadCall call(uploads_.get(), "default", nullptr);
    REQUIRE(Send(&call, 0, size(), /*finish=*/true).ok());
    return call.response().track();
  }

  Job SomeJob() const {
    Job job;
    job.id = base::SeparationId(7);
    job.owner = "me";
    job.attempt = 2;
    *job.open.mutable_track() = SomeTrack(2000);
    job.open.set_model_rate_hz(44'100);
    return job;
  }

  int64_t size() const { return static_cast<int64_t>(song_.size()); }

  const test_support::ForgetfulScope disk_;
  const test_support::TempDir elsewhere_;
  const std::string song_ = WriteSong(elsewhere_.path() + "/song.wav", 2000);
  UploadLimits limits_{audio::OpenInProcess};
  telemetry::Metrics metrics_;
  std::unique_ptr<TrackStore> tracks_;
  std::unique_ptr<Room> room_;
  std::unique_ptr<Uploads> uploads_;
  std::unique_ptr<JobStore> jobs_;
};

TEST_CASE_METHOD(PowerCutTest, "Case 22: the committed size that a stream's end told is there") {
  {
    UploadCall call(uploads_.get(), "default", nullptr);
    REQUIRE(Send(&call, 0, 3000, /*finish=*/false).ok());
    REQUIRE(call.End().ok());
    REQUIRE(call.response().committed_size() == 3000);
  }
  CheckGoesOnAfter(3000);
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: the committed size that was asked for is there") {
  {
    UploadCall call(uploads_.get(), "default", nullptr);
    REQUIRE(Send(&call, 0, 3000, /*finish=*/false).ok());
    REQUIRE(uploads_->Get("default", "id")->committed_size() == 3000);
  }
  CheckGoesOnAfter(3000);
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: the committed size that a refusal told is there") {
  {
    UploadCall call(uploads_.get(), "default", nullptr);
    REQUIRE(Send(&call, 0, 3000, /*finish=*/false).ok());
  }
  {
    UploadCall call(uploads_.get(), "default", nullptr);
    const absl::Status refused = Send(&call, 5000, 6000, /*finish=*/false);
    REQUIRE(base::FactsOf(refused)["committed_size"] == "3000");
  }
  CheckGoesOnAfter(3000);
}

TEST_CASE_METHOD(PowerCutTest,
                 "Case 22: a track that was answered is there, and its upload knows it") {
  const v1::Track track = UploadAll();
  CutPower();
  const base::TrackId id = *base::ParseTrackName(track.name());
  REQUIRE(tracks_->Find(id).ok());
  CHECK(*store::ReadSmallFile(tracks_->PathOf(id)) == song_);
  const auto upload = uploads_->Get("default", "id");
  REQUIRE(upload.ok());
  CHECK(upload->track().name() == track.name());
  CHECK(std::filesystem::is_empty(disk_.folder() + "/uploads"));
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: a track that was deleted does not come back") {
  const v1::Track track = UploadAll();
  const base::TrackId id = *base::ParseTrackName(track.name());
  REQUIRE(tracks_->Delete(id).ok());
  CutPower();
  CHECK(absl::IsNotFound(tracks_->Find(id).status()));
  CHECK(std::filesystem::is_empty(disk_.folder() + "/tracks"));
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: a job that was recorded is there, and gone when removed") {
  REQUIRE(jobs_->Save(SomeJob()).ok());
  CutPower();
  REQUIRE(jobs_->Find(SomeJob().id)->has_value());
  REQUIRE(jobs_->Remove(SomeJob().id, 2).ok());
  CutPower();
  CHECK_FALSE(jobs_->Find(SomeJob().id)->has_value());
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: a spool that the record calls prepared is there in full") {
  const v1::Track track = UploadAll();
  const Job job = SomeJob();
  const auto spools = *Spools::Create(disk_.folder());
  REQUIRE(jobs_->Save(job).ok());
  PreparationInput input;
  input.track_path = tracks_->PathOf(*base::ParseTrackName(track.name()));
  input.spool_path = spools.PathOf(job.id);
  input.track_rate_hz = input.model_rate_hz = 44'100;
  input.track_frames = track.frames();
  input.open_audio = audio::OpenInProcess;
  auto preparation = *Preparation::Create(input);
  while (!*preparation->Step()) {
  }
  REQUIRE(jobs_->SavePrepared(job.id, job.attempt, preparation->result()).ok());
  const std::string spool = *store::ReadSmallFile(input.spool_path);
  CutPower();
  CHECK(spools.IsComplete(**jobs_->Find(job.id)));
  CHECK(*store::ReadSmallFile(input.spool_path) == spool);
}

}  // namespace
}  // namespace unbraid::splitter
