#include <catch2/catch.hpp>
#include <filesystem>

#include "services/common/base/status.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using internal::v1::OpenSeparationResponse;

struct Fixture {
  absl::StatusOr<OpenSeparationResponse> Open(const Song& opened) {
    return bench.On([&](Engine& e) { return e.Open(kOwner, opened.Open()); });
  }
  absl::StatusOr<v1::Separation> Cancel() {
    return bench.On([&](Engine& e) { return e.Cancel(kOwner, song.separation_id()); });
  }
  absl::Status Delete() {
    return bench.On([&](Engine& e) { return e.Delete(kOwner, song.separation_id()); });
  }
  absl::Status Plan(const internal::v1::PlanSeparationRequest& plan) {
    return bench.On([&](Engine& e) { return e.Plan(plan); });
  }

  Song song;
  test_support::TempDir folder;
  Bench bench{folder.path()};
};

}  // namespace

TEST_CASE("Case 26: opening the same separation twice gives the one that runs") {
  Fixture f;
  const auto first = f.Open(f.song);
  REQUIRE(first.ok());
  CHECK(first->started());
  CHECK(first->attempt() == 1);
  CHECK(first->separation().state() == v1::Separation::STATE_PREPARING);
  CHECK(first->separation().name() == "separations/123");
  const auto second = f.Open(f.song);
  CHECK_FALSE(second->started());
  CHECK(second->attempt() == 1);
}

TEST_CASE("a finished separation is given as it is") {
  Fixture f;
  f.bench.Complete(f.song);
  const auto again = f.Open(f.song);
  REQUIRE(again.ok());
  CHECK_FALSE(again->started());
  CHECK(again->separation().state() == v1::Separation::STATE_SUCCEEDED);
  CHECK(again->separation().outputs_size() == 5);
}

TEST_CASE("another separation with the same id is refused, also another owner's") {
  Fixture f;
  REQUIRE(f.Open(f.song).ok());
  auto other = f.song.Open();
  other.set_fingerprint_sha256("another");
  const auto collision = f.bench.On([&](Engine& e) { return e.Open(kOwner, other); });
  CHECK(absl::IsFailedPrecondition(collision.status()));
  CHECK(base::ReasonOf(collision.status()) == "ID_COLLISION");
  const auto foreign = f.bench.On([&](Engine& e) { return e.Open("eve", f.song.Open()); });
  CHECK(base::ReasonOf(foreign.status()) == "ID_COLLISION");
}

TEST_CASE("Case 24: cancelling removes the files, is no error, and can be repeated") {
  Fixture f;
  f.bench.Begin(f.song);
  f.bench.SendChunk(f.song, 0);
  WorkRecorder splitter;
  f.bench.On([&](Engine& e) {
    e.Listen("splitter-1", &splitter);
    return true;
  });
  const auto cancelled = f.Cancel();
  REQUIRE(cancelled.ok());
  CHECK(cancelled->state() == v1::Separation::STATE_CANCELLED);
  CHECK(cancelled->has_end_time());
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(f.song, "")));
  CHECK(splitter.news().back().ended().separation_id() == f.song.id);
  const auto again = f.Cancel();
  CHECK(again->version() == cancelled->version());
}

TEST_CASE("one creation opened again after its end starts nothing, as after a splitter's restart") {
  Fixture f;
  auto request = f.song.Open();
  request.set_creation(7);
  const auto open = [&] { return f.bench.On([&](Engine& e) { return e.Open(kOwner, request); }); };
  REQUIRE(open()->started());
  REQUIRE(f.Cancel().ok());
  SECTION("cancelled") {
    const auto again = open();
    REQUIRE(again.ok());
    CHECK_FALSE(again->started());
    CHECK(again->separation().state() == v1::Separation::STATE_CANCELLED);
    CHECK(again->attempt() == 1);
  }
  SECTION("deleted") {
    const base::SeparationId id(f.song.id);
    REQUIRE(f.bench.On([&](Engine& e) { return e.Delete(kOwner, id); }).ok());
    CHECK(base::ReasonOf(open().status()) == "UNKNOWN_SEPARATION");
  }
  request.set_creation(8);
  const auto anew = open();
  REQUIRE(anew.ok());
  CHECK(anew->started());
  CHECK(anew->attempt() == 2);
}

TEST_CASE("a cancelled separation starts anew with the next attempt, and old results are stale") {
  Fixture f;
  f.bench.Begin(f.song);
  f.bench.SendChunk(f.song, 0);
  const v1::Separation cancelled = *f.Cancel();
  const auto again = f.Open(f.song);
  REQUIRE(again.ok());
  CHECK(again->started());
  CHECK(again->attempt() == 2);
  CHECK(again->separation().version() > cancelled.version());
  CHECK(again->separation().progress().percent() < 2);
  CHECK_FALSE(again->separation().has_end_time());
  REQUIRE(f.Plan(f.song.Plan(2)).ok());
  REQUIRE(f.bench.Send(f.song.Samples(0, 0, 1)).ok());
  CHECK_FALSE(std::filesystem::exists(f.bench.PathOf(f.song, "chunks/0.0", 2)));
  for (int64_t chunk = 0; chunk < f.song.chunks(); ++chunk) f.bench.SendChunk(f.song, chunk, 2);
  Recorder recorder;
  CHECK(f.bench.Await(f.song, &recorder, v1::Separation::STATE_SUCCEEDED));
}

TEST_CASE("a deleted separation is gone, and created again it does not repeat an attempt") {
  Fixture f;
  f.bench.Complete(f.song);
  REQUIRE(f.Delete().ok());
  const auto gone = f.bench.On([&](Engine& e) { return e.Get(kOwner, f.song.separation_id()); });
  CHECK(base::ReasonOf(gone.status()) == "UNKNOWN_SEPARATION");
  CHECK(base::ReasonOf(f.Delete()) == "UNKNOWN_SEPARATION");
  CHECK(std::filesystem::is_empty(f.folder.path() + "/separations"));
  // Workers drop chunks of attempts that have ended.
  CHECK(f.Open(f.song)->attempt() == 2);
}

TEST_CASE("a separation of another owner is as good as none") {
  Fixture f;
  f.bench.Begin(f.song);
  const auto id = f.song.separation_id();
  CHECK(absl::IsNotFound(f.bench.On([&](Engine& e) { return e.Get("eve", id); }).status()));
  CHECK(absl::IsNotFound(f.bench.On([&](Engine& e) { return e.Cancel("eve", id); }).status()));
  CHECK(absl::IsNotFound(f.bench.On([&](Engine& e) { return e.Delete("eve", id); })));
  const auto list =
      f.bench.On([&](Engine& e) { return e.List("eve", v1::ListSeparationsRequest()); });
  CHECK(list->separations_size() == 0);
}

TEST_CASE("a plan may be repeated but not changed") {
  Fixture f;
  f.bench.Begin(f.song);
  CHECK(f.Plan(f.song.Plan()).ok());
  Song longer = f.song;
  longer.model_frames = 300;
  CHECK(base::ReasonOf(f.Plan(longer.Plan())) == "PLAN_CHANGED");
  CHECK(base::ReasonOf(f.Plan(f.song.Plan(2))) == "STALE_ATTEMPT");
  Song unknown = f.song;
  unknown.id = 9;
  CHECK(base::ReasonOf(f.Plan(unknown.Plan())) == "UNKNOWN_SEPARATION");
}

TEST_CASE("a plan whose chunks do not follow from its frames is refused, and changes nothing") {
  Fixture f;
  REQUIRE(f.Open(f.song).ok());
  auto plan = f.song.Plan();
  plan.set_chunks(plan.chunks() + 1);
  const absl::Status refused = f.Plan(plan);
  CHECK(absl::IsInvalidArgument(refused));
  CHECK(f.bench.Get(f.song).state() == v1::Separation::STATE_PREPARING);
  CHECK(f.Plan(f.song.Plan()).ok());
}

TEST_CASE("a failure told by the splitter ends the separation once, of its own attempt only") {
  Fixture f;
  f.bench.Begin(f.song);
  internal::v1::FailSeparationRequest request;
  request.set_separation_id(f.song.id);
  request.set_attempt(2);
  request.mutable_failure()->set_reason("CORRUPT_AUDIO");
  request.mutable_failure()->set_message("broken at 0:03.2");
  REQUIRE(f.bench.On([&](Engine& e) { return e.Fail(request); }).ok());
  CHECK(f.bench.Get(f.song).state() == v1::Separation::STATE_SEPARATING);
  request.set_attempt(1);
  REQUIRE(f.bench.On([&](Engine& e) { return e.Fail(request); }).ok());
  CHECK(f.bench.Get(f.song).failure().message() == "broken at 0:03.2");
  request.mutable_failure()->set_reason("SOMETHING_ELSE");
  REQUIRE(f.bench.On([&](Engine& e) { return e.Fail(request); }).ok());
  CHECK(f.bench.Get(f.song).failure().reason() == "CORRUPT_AUDIO");
}

TEST_CASE("Case 23: what a separation waits for is shown until it goes on") {
  Fixture f;
  f.bench.Begin(f.song);
  internal::v1::ReportWaitingRequest request;
  request.set_separation_id(f.song.id);
  request.set_attempt(1);
  request.set_waiting_for("a worker for model toy");
  REQUIRE(f.bench.On([&](Engine& e) { return e.SetWaiting(request); }).ok());
  CHECK(f.bench.Get(f.song).progress().waiting_for() == "a worker for model toy");
  REQUIRE(f.bench.Send(f.song.Samples(0, 0)).ok());
  CHECK(f.bench.Get(f.song).progress().waiting_for().empty());
}

TEST_CASE(
    "a splitter gets a snapshot of its work, its end, and the retries that it may have missed") {
  Fixture f;
  f.bench.Begin(f.song);
  f.bench.SendChunk(f.song, 0);
  f.bench.SendChunk(f.song, 2);
  REQUIRE(f.bench.Send(f.song.Failure(3, 1)).ok());  // nobody listens
  Song foreign = f.song;
  foreign.id = 7;
  auto request = foreign.Open();
  request.set_splitter("splitter-2");
  REQUIRE(f.bench.On([&](Engine& e) { return e.Open(kOwner, request); }).ok());
  WorkRecorder splitter;
  f.bench.On([&](Engine& e) {
    e.Listen("splitter-1", &splitter);
    return true;
  });
  REQUIRE(splitter.news().size() == 3);
  const auto& active = splitter.news()[0].active();
  CHECK(active.separation_id() == f.song.id);
  CHECK(active.attempt() == 1);
  CHECK(active.chunks() == 5);
  CHECK(active.done_chunks() == std::string("\x05", 1));
  CHECK(splitter.news()[1].snapshot_end());
  CHECK(splitter.news()[2].retry().chunk_index() == 3);
  CHECK(splitter.news()[2].retry().try_() == 2);
}

TEST_CASE("chunks are listed in pages, with where they are in the track") {
  Fixture f;
  f.song.model_rate_hz = 48;  // a chunk every second
  f.song.rate_hz = 48;
  f.bench.Begin(f.song);
  v1::ListChunksRequest request;
  request.set_parent("separations/123");
  request.set_page_size(3);
  const auto first = f.bench.On([&](Engine& e) { return e.ListChunks(kOwner, request); });
  REQUIRE(first.ok());
  REQUIRE(first->chunks_size() == 3);
  CHECK(first->chunks(2).start().seconds() == 2);
  CHECK(first->chunks(2).length().seconds() == 1);
  CHECK(first->chunks(2).length().nanos() == 333'000'000);
  request.set_page_token(first->next_page_token());
  const auto second = f.bench.On([&](Engine& e) { return e.ListChunks(kOwner, request); });
  CHECK(second->chunks_size() == 2);
  CHECK(second->chunks(1).index() == 4);
  CHECK(second->next_page_token().empty());
  for (const char* token : {"-1", "6", "9223372036854775807", "x"}) {
    request.set_page_token(token);
    CHECK(base::ReasonOf(
              f.bench.On([&](Engine& e) { return e.ListChunks(kOwner, request); }).status()) ==
          "INVALID_PAGE_TOKEN");
  }
  request.set_page_size(1001);
  CHECK(base::ReasonOf(
            f.bench.On([&](Engine& e) { return e.ListChunks(kOwner, request); }).status()) ==
        "INVALID_PAGE_SIZE");
}

TEST_CASE("every watcher is told, nobody after unsubscribing, and all when the service ends") {
  WatchHub hub;
  Recorder one;
  Recorder two;
  const base::SeparationId id(1);
  v1::Separation separation;
  hub.Subscribe(id, &one);
  hub.Subscribe(id, &two);
  hub.Publish(id, separation);
  hub.Publish(base::SeparationId(2), separation);
  hub.Unsubscribe(id, &two);
  hub.Publish(id, separation);
  hub.Beat();
  hub.CloseAll();
  CHECK(one.all().size() == 2);
  CHECK(two.all().size() == 1);
  CHECK(one.beats() == 1);
  CHECK(one.closed() == 1);
  CHECK(two.closed() == 0);
  hub.Subscribe(id, &two);  // too late
  CHECK(two.closed() == 1);
}

}  // namespace unbraid::assembler
