#include <catch2/catch.hpp>

#include "services/assembler/separation_store.h"
#include "services/common/base/status.h"
#include "services/common/store/database.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;

Job MakeJob(int64_t id, int64_t created_seconds, const std::string& track = "tracks/77") {
  Song song;
  song.id = id;
  Job job;
  job.id = base::SeparationId(id);
  job.owner = kOwner;
  job.open = song.Open();
  job.separation = job.open.separation();
  job.separation.set_name(base::SeparationName(job.id));
  job.separation.set_track(track);
  job.separation.set_attempt(1);
  job.separation.set_state(v1::Separation::STATE_SEPARATING);
  job.separation.mutable_create_time()->set_seconds(created_seconds);
  job.model_frames = song.model_frames;
  job.chunks = song.chunks();
  job.chunk_records.assign(static_cast<size_t>(job.chunks), ChunkRecord());
  return job;
}

struct Fixture {
  Fixture() : store(*SeparationStore::Open(folder.path() + "/db")) {}
  test_support::TempDir folder;
  std::unique_ptr<SeparationStore> store;
};

std::vector<std::string> Names(const SeparationStore::Page& page) {
  std::vector<std::string> names;
  for (const v1::Separation& separation : page.separations) names.push_back(separation.name());
  return names;
}

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("the store gives back what was saved, chunks included, after reopening") {
  Fixture f;
  Job job = MakeJob(5, 100);
  job.joined = 2;
  job.chunk_records[3] = {0b101, 2, 640, 0.25, "worker-9"};
  REQUIRE(f.store->Save(job).ok());
  REQUIRE(f.store->SaveChunks(job, {3}).ok());
  f.store.reset();
  f.store = *SeparationStore::Open(f.folder.path() + "/db");
  const auto loaded = f.store->Load(job.id);
  REQUIRE(loaded.ok());
  CHECK(loaded->owner == kOwner);
  CHECK(loaded->joined == 2);
  CHECK(loaded->model_frames == job.model_frames);
  CHECK(loaded->open.fingerprint_sha256() == job.open.fingerprint_sha256());
  CHECK(loaded->open.separation().mix().gains().at("bass") == 1);
  CHECK(loaded->chunk_records[3].stems_done == 0b101);
  CHECK(loaded->chunk_records[3].tries == 2);
  CHECK(loaded->chunk_records[3].bytes == 640);
  CHECK(loaded->chunk_records[3].compute_seconds == 0.25);
  CHECK(loaded->chunk_records[3].worker == "worker-9");
  CHECK(loaded->chunk_records[0].tries == 1);
}

TEST_CASE("a separation that is not there is named in the refusal") {
  Fixture f;
  const auto missing = f.store->Load(base::SeparationId(9));
  CHECK(absl::IsNotFound(missing.status()));
  CHECK(base::ReasonOf(missing.status()) == "UNKNOWN_SEPARATION");
  CHECK_THAT(std::string(missing.status().message()), Contains("separations/9"));
}

TEST_CASE("a new attempt forgets the chunks of the old one") {
  Fixture f;
  Job job = MakeJob(5, 100);
  job.chunk_records[0].stems_done = 1;
  REQUIRE(f.store->Save(job).ok());
  REQUIRE(f.store->SaveChunks(job, {0}).ok());
  REQUIRE(f.store->Save(job, /*forget_chunks=*/true).ok());
  CHECK(f.store->Load(job.id)->chunk_records[0].stems_done == 0);
}

TEST_CASE("separations are listed newest first, in pages that neither skip nor repeat") {
  Fixture f;
  for (int64_t id = 1; id <= 5; ++id) REQUIRE(f.store->Save(MakeJob(id, 100 + id / 2)).ok());
  const auto first = f.store->List(kOwner, "", 2, "");
  CHECK(Names(*first) == List{"separations/5", "separations/4"});
  const auto second = f.store->List(kOwner, "", 2, first->next_token);
  CHECK(Names(*second) == List{"separations/3", "separations/2"});
  const auto third = f.store->List(kOwner, "", 2, second->next_token);
  CHECK(Names(*third) == List{"separations/1"});
  CHECK(third->next_token.empty());
}

TEST_CASE("a list shows one owner's separations only, and those of one track if asked") {
  Fixture f;
  Job foreign = MakeJob(1, 100);
  foreign.owner = "somebody else";
  REQUIRE(f.store->Save(foreign).ok());
  REQUIRE(f.store->Save(MakeJob(2, 101, "tracks/1")).ok());
  REQUIRE(f.store->Save(MakeJob(3, 102, "tracks/2")).ok());
  CHECK(Names(*f.store->List(kOwner, "", 10, "")) == List{"separations/3", "separations/2"});
  CHECK(Names(*f.store->List(kOwner, "tracks/1", 10, "")) == List{"separations/2"});
}

TEST_CASE("a page token of somebody else's is refused") {
  Fixture f;
  for (const char* token : {"x", "1.2.3", "1.y", "."}) {
    const auto page = f.store->List(kOwner, "", 2, token);
    CHECK(absl::IsInvalidArgument(page.status()));
    CHECK(base::ReasonOf(page.status()) == "INVALID_PAGE_TOKEN");
  }
}

TEST_CASE("what has ended is not active, and only results keep files") {
  Fixture f;
  const std::vector<v1::Separation::State> states = {
      v1::Separation::STATE_PREPARING, v1::Separation::STATE_SUCCEEDED,
      v1::Separation::STATE_FAILED, v1::Separation::STATE_CANCELLED};
  for (size_t i = 0; i < states.size(); ++i) {
    Job job = MakeJob(static_cast<int64_t>(i) + 1, 100);
    job.separation.set_state(states[i]);
    REQUIRE(f.store->Save(job).ok());
  }
  CHECK(*f.store->ActiveIds() == std::vector<base::SeparationId>{base::SeparationId(1)});
  CHECK(*f.store->AttemptsWithFiles() ==
        std::map<base::SeparationId, int>{{base::SeparationId(1), 1}, {base::SeparationId(2), 1}});
}

TEST_CASE("a deleted separation leaves nothing but its last attempt and creation") {
  Fixture f;
  const Job job = MakeJob(5, 100);
  REQUIRE(f.store->Save(job).ok());
  CHECK(f.store->FindDeleted(job.id)->last_attempt == 0);
  REQUIRE(f.store->Delete(job.id, {3, 1234}).ok());
  CHECK(absl::IsNotFound(f.store->Load(job.id).status()));
  CHECK(f.store->FindDeleted(job.id)->last_attempt == 3);
  CHECK(f.store->FindDeleted(job.id)->creation == 1234);
}

}  // namespace unbraid::assembler
