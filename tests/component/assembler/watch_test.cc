#include <catch2/catch.hpp>

#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "tests/component/assembler/harness.h"

namespace unbraid::assembler {
namespace {

// One WatchSeparation call.
class Watch {
 public:
  Watch(Harness* harness, const std::string& name, const std::string& owner = kOwner)
      : context_(StreamContext(owner)) {
    v1::WatchSeparationRequest request;
    request.set_name(name);
    reader_ = harness->stub()->WatchSeparation(context_.get(), request);
  }
  // False at the end of the stream.
  bool Next() {
    v1::WatchSeparationResponse response;
    if (!reader_->Read(&response)) return false;
    last = response.separation();
    return true;
  }
  absl::Status Finish() {
    while (Next()) {
    }
    return grpc_util::FromGrpc(reader_->Finish());
  }

  v1::Separation last;

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchSeparationResponse>> reader_;
};

}  // namespace

TEST_CASE("a watcher gets a snapshot, the changes in order, and OK after the end") {
  Harness harness;
  Song song;
  harness.bench.Begin(song);
  Watch watch(&harness, "separations/123");
  REQUIRE(watch.Next());
  CHECK(watch.last.state() == v1::Separation::STATE_SEPARATING);
  CHECK(watch.last.progress().chunks_total() == 5);
  int64_t version = watch.last.version();
  double percent = watch.last.progress().percent();
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) harness.bench.SendChunk(song, chunk);
  while (watch.Next()) {
    CHECK(watch.last.version() > version);
    CHECK(watch.last.progress().percent() >= percent);
    version = watch.last.version();
    percent = watch.last.progress().percent();
  }
  CHECK(watch.Finish().ok());
  CHECK(watch.last.state() == v1::Separation::STATE_SUCCEEDED);
  CHECK(watch.last.outputs_size() == 5);
}

TEST_CASE("watching what has ended gives its last state and OK") {
  Harness harness;
  Song song;
  harness.bench.Complete(song);
  Watch watch(&harness, "separations/123");
  REQUIRE(watch.Next());
  CHECK(watch.last.state() == v1::Separation::STATE_SUCCEEDED);
  CHECK_FALSE(watch.Next());
  CHECK(watch.Finish().ok());
}

TEST_CASE("watching nothing, nonsense or another's separation is refused with a reason") {
  Harness harness;
  Song song;
  harness.bench.Begin(song);
  Watch missing(&harness, "separations/5");
  CHECK(base::ReasonOf(missing.Finish()) == "UNKNOWN_SEPARATION");
  Watch nonsense(&harness, "tracks/5");
  CHECK(base::ReasonOf(nonsense.Finish()) == "INVALID_NAME");
  Watch foreign(&harness, "separations/123", "eve");
  CHECK(base::ReasonOf(foreign.Finish()) == "UNKNOWN_SEPARATION");
}

TEST_CASE("a watcher hears something though nothing changes") {
  Harness harness;
  Song song;
  harness.bench.Begin(song);
  Watch watch(&harness, "separations/123");
  REQUIRE(watch.Next());
  const int64_t version = watch.last.version();
  // The call is subscribed once its snapshot is there and the engine is free again.
  harness.bench.Get(song);
  harness.bench.hub.Beat();
  REQUIRE(watch.Next());
  CHECK(watch.last.version() == version);
}

TEST_CASE("Case 24: a watcher of a separation that is cancelled or deleted sees it end with OK") {
  Harness harness;
  Song song;
  harness.bench.Begin(song);
  Watch watch(&harness, "separations/123");
  REQUIRE(watch.Next());
  SECTION("cancelled") { REQUIRE(harness.Cancel(song).ok()); }
  SECTION("deleted") {
    v1::DeleteSeparationRequest request;
    request.set_name("separations/123");
    google::protobuf::Empty empty;
    REQUIRE(harness.Call(&Harness::Stub::DeleteSeparation, request, &empty).ok());
  }
  CHECK(watch.Finish().ok());
  CHECK(watch.last.state() == v1::Separation::STATE_CANCELLED);
}

TEST_CASE("when the service ends its watchers are told to come again") {
  Harness harness;
  Song song;
  harness.bench.Begin(song);
  Watch watch(&harness, "separations/123");
  REQUIRE(watch.Next());
  harness.bench.hub.CloseAll();
  const absl::Status end = watch.Finish();
  CHECK(absl::IsUnavailable(end));
  CHECK(base::ReasonOf(end) == "BACKEND_UNAVAILABLE");
  Watch late(&harness, "separations/123");
  CHECK(absl::IsUnavailable(late.Finish()));
}

TEST_CASE("separations are listed over gRPC, those that run as they are now") {
  Harness harness;
  Song song;
  harness.bench.Begin(song);
  harness.bench.SendChunk(song, 0);
  v1::ListSeparationsResponse list;
  REQUIRE(harness.Call(&Harness::Stub::ListSeparations, v1::ListSeparationsRequest(), &list).ok());
  REQUIRE(list.separations_size() == 1);
  CHECK(list.separations(0).progress().chunks_done() == 1);
  v1::ListSeparationsRequest of_track;
  of_track.set_track("tracks/78");
  REQUIRE(harness.Call(&Harness::Stub::ListSeparations, of_track, &list).ok());
  CHECK(list.separations_size() == 0);
  of_track.set_track("78");
  CHECK(base::ReasonOf(harness.Call(&Harness::Stub::ListSeparations, of_track, &list)) ==
        "INVALID_NAME");
}

}  // namespace unbraid::assembler
