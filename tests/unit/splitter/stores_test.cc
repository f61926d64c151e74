#include <catch2/catch.hpp>
#include <filesystem>

#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "services/splitter/job_store.h"
#include "services/splitter/spools.h"
#include "services/splitter/track_store.h"
#include "tests/support/sql.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

using Catch::Contains;

class StoresTest {
 protected:
  std::unique_ptr<TrackStore> OpenTracks() {
    auto tracks = TrackStore::Open(folder_.path());
    INFO(tracks.status());
    REQUIRE(tracks.ok());
    return *std::move(tracks);
  }

  v1::Track Add(TrackStore* tracks, int64_t id, const std::string& sha256 = "00") {
    v1::Track track;
    track.set_name(base::TrackName(base::TrackId(id)));
    track.set_sha256(sha256);
    REQUIRE(store::WriteFileDurably(part_, "bytes").ok());
    auto adopted = tracks->Adopt({"key", "me", part_, 5}, track);
    INFO(adopted.status());
    REQUIRE(adopted.ok());
    return *adopted;
  }

  test_support::TempDir folder_;
  const std::string part_ = folder_.path() + "/part";
};

TEST_CASE_METHOD(StoresTest, "a track survives a restart, with its bytes") {
  Add(OpenTracks().get(), 5);
  const auto tracks = OpenTracks();
  CHECK(tracks->Find(base::TrackId(5))->name() == "tracks/5");
  CHECK(*store::ReadSmallFile(tracks->PathOf(base::TrackId(5))) == "bytes");
}

TEST_CASE_METHOD(StoresTest, "the same bytes are the same track, with the first label") {
  const auto tracks = OpenTracks();
  v1::Track first;
  first.set_name("tracks/5");
  first.set_sha256("00");
  first.set_display_name("first");
  REQUIRE(store::WriteFileDurably(part_, "bytes").ok());
  REQUIRE(tracks->Adopt({"key", "me", part_, 5}, first).ok());
  first.set_display_name("second");
  REQUIRE(store::WriteFileDurably(part_, "bytes").ok());
  CHECK(tracks->Adopt({"key", "me", part_, 5}, first)->display_name() == "first");
  CHECK_FALSE(store::FileSize(part_).ok());
}

TEST_CASE_METHOD(StoresTest, "another content with the same id is refused") {
  const auto tracks = OpenTracks();
  Add(tracks.get(), 5, "00");
  const auto found = tracks->FindContent(base::TrackId(5), "11");
  CHECK(absl::IsFailedPrecondition(found.status()));
  CHECK(base::ReasonOf(found.status()) == "ID_COLLISION");
  CHECK(tracks->FindContent(base::TrackId(5), "00")->has_value());
}

TEST_CASE_METHOD(StoresTest, "a track whose file was lost is taken again") {
  const auto tracks = OpenTracks();
  Add(tracks.get(), 5);
  REQUIRE(store::RemoveAll(tracks->PathOf(base::TrackId(5))).ok());
  CHECK_FALSE(tracks->FindContent(base::TrackId(5), "00")->has_value());
  Add(tracks.get(), 5);
  CHECK(tracks->FindContent(base::TrackId(5), "00")->has_value());
}

TEST_CASE_METHOD(StoresTest, "tracks are listed newest first, page by page") {
  const auto tracks = OpenTracks();
  for (int64_t id = 1; id <= 5; ++id) Add(tracks.get(), id);
  v1::ListTracksRequest request;
  request.set_page_size(2);
  std::vector<std::string> names;
  do {
    const auto page = tracks->List(request);
    REQUIRE(page.ok());
    for (const auto& track : page->tracks()) names.push_back(track.name());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  CHECK(names ==
        std::vector<std::string>{"tracks/5", "tracks/4", "tracks/3", "tracks/2", "tracks/1"});
  request.set_page_token("x");
  CHECK(base::ReasonOf(tracks->List(request).status()) == "INVALID_PAGE_TOKEN");
}

TEST_CASE_METHOD(StoresTest, "a deleted track is gone, and its uploads are forgotten") {
  const auto tracks = OpenTracks();
  Add(tracks.get(), 5);
  CHECK(tracks->FindUpload("key")->has_value());
  REQUIRE(tracks->Delete(base::TrackId(5)).ok());
  CHECK_FALSE(tracks->FindUpload("key")->has_value());
  CHECK_FALSE(store::FileSize(tracks->PathOf(base::TrackId(5))).ok());
  const absl::Status status = tracks->Delete(base::TrackId(5));
  CHECK(absl::IsNotFound(status));
  CHECK(base::ReasonOf(status) == "UNKNOWN_TRACK");
}

TEST_CASE_METHOD(StoresTest, "an upload that was recorded when the process ended is a track") {
  Add(OpenTracks().get(), 5);
  const std::string track = folder_.path() + "/tracks/5";
  const std::string upload = folder_.path() + "/uploads/key";
  REQUIRE(store::MakeFolders(folder_.path() + "/uploads").ok());
  SECTION("before its file was moved") { std::filesystem::rename(track, upload); }
  SECTION("before its second file was removed") { std::filesystem::copy(track, upload); }
  const auto tracks = OpenTracks();
  CHECK(*store::ReadSmallFile(tracks->PathOf(base::TrackId(5))) == "bytes");
  CHECK_FALSE(store::FileSize(upload).ok());
  CHECK((*tracks->FindUpload("key"))->name() == "tracks/5");
}

TEST_CASE_METHOD(StoresTest,
                 "what is brought anew of a track that lost its file is not the track") {
  const std::string upload = folder_.path() + "/uploads/key";
  {
    const auto tracks = OpenTracks();
    Add(tracks.get(), 5);
    REQUIRE(store::RemoveAll(tracks->PathOf(base::TrackId(5))).ok());
    CHECK_FALSE(tracks->FindUpload("key")->has_value());
    REQUIRE(tracks->BeginUpload("key", "me").ok());
    REQUIRE(store::MakeFolders(folder_.path() + "/uploads").ok());
    REQUIRE(store::WriteFileDurably(upload, "byt").ok());
  }
  const auto tracks = OpenTracks();
  CHECK_FALSE(store::FileSize(tracks->PathOf(base::TrackId(5))).ok());
  CHECK(*store::ReadSmallFile(upload) == "byt");
}

TEST_CASE_METHOD(StoresTest, "an upload whose file cannot be moved stays one") {
  const auto tracks = OpenTracks();
  REQUIRE(tracks->BeginUpload("key", "me").ok());
  v1::Track track;
  track.set_name("tracks/5");
  CHECK_FALSE(tracks->Adopt({"key", "me", folder_.path() + "/nothing", 5}, track).ok());
  CHECK_FALSE(tracks->FindUpload("key")->has_value());
  CHECK(absl::IsNotFound(tracks->Find(base::TrackId(5)).status()));
  CHECK(tracks->UnfinishedUploads()->at("key") == "me");
  CHECK(*tracks->HeldBytes("me") == 0);
}

TEST_CASE_METHOD(StoresTest, "files that a crash left without a record are removed") {
  Add(OpenTracks().get(), 5);
  const std::string orphan = folder_.path() + "/tracks/6";
  REQUIRE(store::WriteFileDurably(orphan, "bytes").ok());
  const auto tracks = OpenTracks();
  CHECK_FALSE(store::FileSize(orphan).ok());
  CHECK(store::FileSize(tracks->PathOf(base::TrackId(5))).ok());
}

TEST_CASE_METHOD(StoresTest, "records of tracks that are lost are missed, and no file is removed") {
  Add(OpenTracks().get(), 5);
  const std::string records = folder_.path() + "/tracks.db";
  SECTION("removed") { std::filesystem::remove(records); }
  SECTION("emptied") { std::filesystem::resize_file(records, 0); }
  const absl::Status status = TrackStore::Open(folder_.path()).status();
  CHECK(absl::IsDataLoss(status));
  CHECK_THAT(std::string(status.message()),
             Contains("the database " + records + " is missing or empty") && Contains("Restore"));
  CHECK(store::FileSize(folder_.path() + "/tracks/5").ok());
}

TEST_CASE_METHOD(StoresTest, "records that cannot be read keep the splitter from starting") {
  Add(OpenTracks().get(), 5);
  REQUIRE((*JobStore::Open(folder_.path()))->Save({base::SeparationId(7), "me", {}, 1, {}}).ok());
  const auto damage = [this](const std::string& name, const std::string& statement) {
    REQUIRE(test_support::ExecuteSql(folder_.path() + name, statement));
  };
  damage("/tracks.db", "UPDATE tracks SET record = x'ff'");
  damage("/jobs.db", "UPDATE jobs SET record = x'ff'");
  const absl::Status tracks = TrackStore::Open(folder_.path()).status();
  CHECK_THAT(std::string(tracks.message()), Contains("/tracks.db is damaged (a track's record"));
  CHECK(store::FileSize(folder_.path() + "/tracks/5").ok());
  const absl::Status jobs = JobStore::Open(folder_.path()).status();
  CHECK_THAT(std::string(jobs.message()), Contains("/jobs.db is damaged (the record of job 7"));
}

Job SomeJob(int64_t id, int32_t attempt) {
  Job job;
  job.id = base::SeparationId(id);
  job.owner = "me";
  job.attempt = attempt;
  *job.open.mutable_track() = SomeTrack();
  job.open.set_fingerprint_sha256("ff");
  return job;
}

TEST_CASE_METHOD(StoresTest,
                 "saving a job again forgets no preparation, but a new attempt has none") {
  const auto jobs = *JobStore::Open(folder_.path());
  Job job = SomeJob(7, 2);
  REQUIRE(jobs->Save(job).ok());
  REQUIRE(jobs->SavePrepared(job.id, 2, {1234, 0.25, 0.5}).ok());
  REQUIRE(jobs->Save(job).ok());
  CHECK((*jobs->Find(job.id))->prepared.model_frames == 1234);
  CHECK((*jobs->Find(job.id))->prepared.scale == 0.5);
  job.attempt = 3;
  job.prepared = {1234, 0.25, 0.5};
  REQUIRE(jobs->Save(job).ok());
  CHECK((*jobs->Find(job.id))->attempt == 3);
  CHECK((*jobs->Find(job.id))->prepared.model_frames == 0);
}

TEST_CASE_METHOD(StoresTest, "Case 22: jobs survive a restart with all that was known") {
  {
    const auto jobs = *JobStore::Open(folder_.path());
    REQUIRE(jobs->Save(SomeJob(7, 2)).ok());
    REQUIRE(jobs->SavePrepared(base::SeparationId(7), 2, {1234, 0.25, 0.5}).ok());
    REQUIRE(jobs->SavePrepared(base::SeparationId(7), 1, {1, 1, 1}).ok());  // of an older attempt
  }
  const auto jobs = *JobStore::Open(folder_.path());
  const auto job = **jobs->Find(base::SeparationId(7));
  CHECK(job.owner == "me");
  CHECK(job.attempt == 2);
  CHECK(job.prepared.model_frames == 1234);
  CHECK(job.prepared.mean == 0.25);
  CHECK(job.prepared.scale == 0.5);
  CHECK(job.open.fingerprint_sha256() == "ff");
  CHECK(jobs->All()->size() == 1);
}

TEST_CASE_METHOD(StoresTest, "the end of an older attempt does not remove a newer job") {
  const auto jobs = *JobStore::Open(folder_.path());
  REQUIRE(jobs->Save(SomeJob(7, 2)).ok());
  REQUIRE(jobs->Remove(base::SeparationId(7), 1).ok());
  CHECK(*jobs->UsesTrack("tracks/17"));
  REQUIRE(jobs->Remove(base::SeparationId(7), 2).ok());
  CHECK_FALSE(*jobs->UsesTrack("tracks/17"));
  CHECK_FALSE(jobs->Find(base::SeparationId(7))->has_value());
}

TEST_CASE_METHOD(StoresTest,
                 "Case 6: a job with a residual is prepared once its song is there too") {
  const auto spools = *Spools::Create(folder_.path());
  Job job = SomeJob(1, 1);
  job.open.set_model_rate_hz(48'000);
  job.open.mutable_track()->set_frames(10);
  job.prepared.model_frames = 11;
  REQUIRE(store::WriteFileDurably(spools.PathOf(job.id), std::string(11 * 8, 'x')).ok());
  CHECK(spools.IsComplete(job));
  job.open.mutable_separation()->set_residual(true);
  CHECK_FALSE(spools.IsComplete(job));
  REQUIRE(store::WriteFileDurably(spools.SongPathOf(job), std::string(10 * 8, 'x')).ok());
  CHECK(spools.IsComplete(job));
  REQUIRE(spools.RemoveAllBut({job.id}).ok());
  CHECK(spools.IsComplete(job));
  REQUIRE(spools.Remove(job.id).ok());
  CHECK(std::filesystem::is_empty(folder_.path() + "/spools"));
}

TEST_CASE_METHOD(StoresTest, "at the model's rate the spool is the song") {
  const auto spools = *Spools::Create(folder_.path());
  Job job = SomeJob(1, 1);
  job.open.set_model_rate_hz(44'100);
  CHECK(spools.SongPathOf(job) == spools.PathOf(job.id));
}

TEST_CASE_METHOD(StoresTest, "unfinished spools and those of nobody are removed") {
  const auto spools = *Spools::Create(folder_.path());
  const base::SeparationId kept(1);
  REQUIRE(store::WriteFileDurably(spools.PathOf(kept), "x").ok());
  REQUIRE(store::WriteFileDurably(spools.PathOf(kept) + ".1.part", "x").ok());
  REQUIRE(store::WriteFileDurably(spools.PathOf(base::SeparationId(2)), "x").ok());
  REQUIRE(spools.RemoveAllBut({kept}).ok());
  CHECK(store::FileSize(spools.PathOf(kept)).ok());
  CHECK_FALSE(store::FileSize(spools.PathOf(kept) + ".1.part").ok());
  CHECK_FALSE(store::FileSize(spools.PathOf(base::SeparationId(2))).ok());
}

}  // namespace
}  // namespace unbraid::splitter
