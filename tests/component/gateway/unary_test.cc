#include <catch2/catch.hpp>
#include <thread>

#include "tests/component/gateway/fixture.h"

namespace unbraid::gateway {
namespace {

using Catch::Contains;

struct Outcome {
  grpc::Status status;
  std::string answer;
};

template <typename Stub, typename Request, typename Response>
Outcome Ask(const std::unique_ptr<Stub>& stub,
            grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
            const Request& request) {
  Patient context;
  Response response;
  const grpc::Status status = (stub.get()->*method)(&context, request, &response);
  return {status, response.ShortDebugString()};
}

template <typename Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

using Tracks = v1::TrackService::Stub;
using Separations = v1::SeparationService::Stub;

// Every unary method that is passed on, with a request of its own.
std::vector<std::pair<std::string, Outcome>> AskEverything(const Fixture& fixture) {
  const auto tracks = fixture.Tracks();
  const auto separations = fixture.Separations();
  v1::GetUploadRequest upload;
  upload.set_upload_id("u-1");
  v1::ListTracksRequest list_tracks;
  list_tracks.set_page_size(3);
  v1::CreateSeparationRequest create;
  create.mutable_separation()->set_track("tracks/1");
  create.mutable_separation()->set_model("beta");
  v1::ListSeparationsRequest list_separations;
  list_separations.set_track("tracks/1");
  v1::ListChunksRequest chunks;
  chunks.set_parent("separations/2");
  return {
      {"GetUpload", Ask(tracks, &Tracks::GetUpload, upload)},
      {"GetTrack", Ask(tracks, &Tracks::GetTrack, Named<v1::GetTrackRequest>("tracks/1"))},
      {"ListTracks", Ask(tracks, &Tracks::ListTracks, list_tracks)},
      {"DeleteTrack", Ask(tracks, &Tracks::DeleteTrack, Named<v1::DeleteTrackRequest>("tracks/1"))},
      {"StartSeparation", Ask(separations, &Separations::CreateSeparation, create)},
      {"GetSeparation", Ask(separations, &Separations::GetSeparation,
                            Named<v1::GetSeparationRequest>("separations/2"))},
      {"ListSeparations", Ask(separations, &Separations::ListSeparations, list_separations)},
      {"CancelSeparation", Ask(separations, &Separations::CancelSeparation,
                               Named<v1::CancelSeparationRequest>("separations/2"))},
      {"DeleteSeparation", Ask(separations, &Separations::DeleteSeparation,
                               Named<v1::DeleteSeparationRequest>("separations/2"))},
      {"ListChunks", Ask(separations, &Separations::ListChunks, chunks)},
  };
}

TEST_CASE("passes every unary call on, with the owner, and the answer back") {
  Fixture fixture;
  fixture.Start();
  const std::map<std::string, std::pair<std::string, std::string>> expected = {
      {"GetUpload", {R"(upload_id: "u-1")", "committed_size: 7"}},
      {"GetTrack", {R"(name: "tracks/1")", R"(name: "tracks/1")"}},
      {"ListTracks", {"page_size: 3", R"(tracks { name: "tracks/1" })"}},
      {"DeleteTrack", {R"(name: "tracks/1")", ""}},
      {"StartSeparation",
       {R"(separation { track: "tracks/1" model: "beta" })",
        R"(name: "separations/2" state: STATE_PREPARING)"}},
      {"GetSeparation", {R"(name: "separations/2")", R"(name: "separations/2")"}},
      {"ListSeparations", {R"(track: "tracks/1")", R"(next_page_token: "next")"}},
      {"CancelSeparation", {R"(name: "separations/2")", R"(name: "separations/2")"}},
      {"DeleteSeparation", {R"(name: "separations/2")", ""}},
      {"ListChunks", {R"(parent: "separations/2")", R"(next_page_token: "next")"}},
  };
  const auto outcomes = AskEverything(fixture);
  REQUIRE(outcomes.size() == expected.size());
  for (const auto& [method, outcome] : outcomes) {
    INFO(method << ": " << outcome.status.error_message());
    CHECK(outcome.status.ok());
    CHECK(outcome.answer == expected.at(method).second);
    const Calls& calls =
        fixture.splitter.calls.seen(method) ? fixture.splitter.calls : fixture.assembler.calls;
    REQUIRE(calls.seen(method));
    CHECK(calls.request(method) == expected.at(method).first);
    CHECK(calls.owner(method) == "default");
  }
}

TEST_CASE("passes the errors of the services on unchanged") {
  Fixture fixture;
  fixture.splitter.answer = fixture.assembler.answer = [](grpc::ServerContext*) {
    return BackendError(absl::StatusCode::kFailedPrecondition, "TRACK_IN_USE",
                        "A separation still reads it.", {{"separation", "separations/9"}});
  };
  fixture.Start();
  for (const auto& [method, outcome] : AskEverything(fixture)) {
    INFO(method);
    const SeenError error = See(outcome.status);
    CHECK(error.code == grpc::StatusCode::FAILED_PRECONDITION);
    CHECK(error.message == "A separation still reads it.");
    CHECK(error.reason == "TRACK_IN_USE");
    CHECK(error.domain == "unbraid.v1");
    CHECK(error.facts == std::map<std::string, std::string>{{"separation", "separations/9"}});
  }
}

TEST_CASE("names the service that is away, and what to do") {
  Fixture fixture;
  fixture.Start();
  fixture.StopSplitter();
  fixture.StopAssembler();
  for (const auto& [method, outcome] : AskEverything(fixture)) {
    INFO(method);
    const bool splitter = method.find("Track") != std::string::npos || method == "GetUpload" ||
                          method == "StartSeparation";
    const SeenError error = See(outcome.status);
    CHECK(error.code == grpc::StatusCode::UNAVAILABLE);
    CHECK(error.reason == "BACKEND_UNAVAILABLE");
    CHECK_THAT(error.message, Contains(splitter ? "The splitter" : "The assembler"));
    CHECK_THAT(error.message, Contains("try again"));
    CHECK_THAT(error.message, !Contains("127.0.0.1"));
  }
}

TEST_CASE("does not wait for a backend longer than its own deadline") {
  Fixture fixture;
  fixture.splitter.answer = [](grpc::ServerContext* context) {
    AwaitCancelled(*context);
    return grpc::Status::OK;
  };
  Config config;
  config.unary_deadline = absl::Milliseconds(100);
  fixture.Start(config);
  const SeenError error =
      See(Ask(fixture.Tracks(), &Tracks::GetTrack, v1::GetTrackRequest()).status);
  CHECK(error.code == grpc::StatusCode::DEADLINE_EXCEEDED);
  CHECK(error.reason == "DEADLINE_EXCEEDED");
  CHECK_THAT(error.message, Contains("The splitter did not answer in time"));
}

TEST_CASE("gives a backend no more time than the client has") {
  Fixture fixture;
  absl::Duration left;
  fixture.splitter.answer = [&left](grpc::ServerContext* context) {
    left = absl::FromChrono(context->deadline()) - absl::Now();
    return grpc::Status::OK;
  };
  fixture.Start();
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  v1::Track track;
  REQUIRE(fixture.Tracks()->GetTrack(&context, v1::GetTrackRequest(), &track).ok());
  CHECK(left < absl::Seconds(12));  // on the wire it may be rounded up
  CHECK(left > absl::ZeroDuration());
}

TEST_CASE("cancels the backend's call when the client goes away") {
  Fixture fixture;
  Tally begun;
  Tally cancelled;
  fixture.splitter.answer = [&](grpc::ServerContext* context) {
    begun.Add();
    if (AwaitCancelled(*context)) cancelled.Add();
    return grpc::Status::OK;
  };
  fixture.Start();
  Patient context;
  std::thread canceller([&] {
    begun.Await(1);
    context.TryCancel();
  });
  v1::Track track;
  const grpc::Status status =
      fixture.Tracks()->GetTrack(&context, Named<v1::GetTrackRequest>("tracks/1"), &track);
  canceller.join();
  CHECK(status.error_code() == grpc::StatusCode::CANCELLED);
  CHECK(cancelled.Await(1));
}

}  // namespace
}  // namespace unbraid::gateway
