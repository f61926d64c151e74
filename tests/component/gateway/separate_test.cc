#include <catch2/catch.hpp>

#include "tests/component/gateway/fixture.h"

namespace unbraid::gateway {
namespace {

using Catch::Contains;

v1::SeparateRequest Start(bool download = false) {
  v1::SeparateRequest request;
  request.mutable_start()->mutable_upload()->set_display_name("song.wav");
  request.mutable_start()->mutable_separation()->set_model("alpha");
  request.mutable_start()->set_download(download);
  return request;
}

v1::SeparateRequest Part(int64_t offset, const std::string& data, bool last) {
  v1::SeparateRequest request;
  request.mutable_part()->set_write_offset(offset);
  request.mutable_part()->set_data(data);
  request.mutable_part()->set_finish_write(last);
  return request;
}

// A Separate call with these messages; the answers are kept in short form.
struct Separate {
  explicit Separate(const Fixture& fixture) : stub(fixture.Separations()) {
    stream = stub->Separate(&context);
  }

  void Send(const std::vector<v1::SeparateRequest>& requests, bool close = true) {
    for (const auto& request : requests) {
      if (!stream->Write(request)) return;
    }
    if (close) stream->WritesDone();
  }

  // Reads one answer: "track NAME", "STATE", "part STEM DATA" or "" at the end.
  std::string Read() {
    v1::SeparateResponse response;
    if (!stream->Read(&response)) return "";
    if (response.has_track()) return "track " + response.track().name();
    if (response.has_separation()) return v1::Separation::State_Name(response.separation().state());
    const auto& part = response.stem_part();
    return "part " + part.stem_file().name() + " " + part.data();
  }

  std::vector<std::string> ReadAll() {
    std::vector<std::string> all;
    for (std::string one = Read(); !one.empty(); one = Read()) all.push_back(one);
    return all;
  }

  SeenError Finish() { return See(stream->Finish()); }

  Patient context;
  std::unique_ptr<v1::SeparationService::Stub> stub;
  std::unique_ptr<grpc::ClientReaderWriter<v1::SeparateRequest, v1::SeparateResponse>> stream;
};

using Answers = std::vector<std::string>;

TEST_CASE("uploads, watches and downloads in one call") {
  Fixture fixture;
  fixture.Start();
  Separate call(fixture);
  call.Send({Start(true), Part(0, "so", false), Part(2, "ng", true)});
  CHECK(call.ReadAll() == Answers{"track tracks/1", "STATE_SEPARATING", "STATE_SUCCEEDED",
                                  "part separations/2/stems/vocals begin", "part  end",
                                  "part separations/2/stems/mix begin", "part  end"});
  CHECK(call.Finish().code == grpc::StatusCode::OK);
  CHECK(fixture.splitter.uploaded == "song");
  CHECK(fixture.splitter.display_name == "song.wav");
  CHECK(fixture.splitter.calls.request("StartSeparation") ==
        R"(separation { track: "tracks/1" model: "alpha" })");
  CHECK(fixture.splitter.calls.owner("StartSeparation") == "default");
  CHECK(fixture.splitter.calls.owner("UploadTrack") == "default");
}

TEST_CASE("downloads nothing unless it is asked to") {
  Fixture fixture;
  fixture.Start();
  Separate call(fixture);
  call.Send({Start(), Part(0, "song", true)});
  CHECK(call.ReadAll() == Answers{"track tracks/1", "STATE_SEPARATING", "STATE_SUCCEEDED"});
  CHECK(call.Finish().code == grpc::StatusCode::OK);
  CHECK_FALSE(fixture.assembler.calls.seen("DownloadStem"));
}

TEST_CASE("ends with ABORTED when the separation fails or is cancelled") {
  const auto [state, reason, sentence] =
      GENERATE(table<v1::Separation::State, std::string, std::string>(
          {{v1::Separation::STATE_FAILED, "SEPARATION_FAILED", "could not compute chunk 3"},
           {v1::Separation::STATE_CANCELLED, "SEPARATION_CANCELLED",
            "separations/2 was cancelled"}}));
  Fixture fixture;
  fixture.assembler.watch = [end = state](auto*, auto* writer) {
    writer->Write(News(end));
    return grpc::Status::OK;
  };
  fixture.Start();
  Separate call(fixture);
  call.Send({Start(true), Part(0, "song", true)});
  CHECK(call.ReadAll() == Answers{"track tracks/1", v1::Separation::State_Name(state)});
  const SeenError error = call.Finish();
  CHECK(error.code == grpc::StatusCode::ABORTED);
  CHECK(error.reason == reason);
  CHECK_THAT(error.message, Contains(sentence));
  if (state == v1::Separation::STATE_FAILED)
    CHECK(error.facts.at("failure_reason") == "CHUNK_FAILED");
}

TEST_CASE("refuses messages that break the grammar of Separate") {
  Fixture fixture;
  fixture.Start();
  v1::SeparateRequest with_track = Start();
  with_track.mutable_start()->mutable_separation()->set_track("tracks/1");
  v1::SeparateRequest with_spec = Part(0, "x", false);
  with_spec.mutable_part()->mutable_spec();
  const std::vector<std::vector<v1::SeparateRequest>> streams = {
      {},                              // nothing at all
      {Part(0, "x", true)},            // no start
      {with_track},                    // a track besides the upload
      {Start(), Start()},              // twice
      {Start(), with_spec},            // a description of its own
      {Start(), Part(0, "x", false)},  // never finished
      {Start(), Part(0, std::string((1 << 20) + 1, 'x'), true)},
  };
  for (const auto& requests : streams) {
    Separate call(fixture);
    call.Send(requests);
    CHECK(call.ReadAll().empty());
    const SeenError error = call.Finish();
    CHECK(error.code == grpc::StatusCode::INVALID_ARGUMENT);
    CHECK(error.reason == "INVALID_UPLOAD");
  }
  CHECK_FALSE(fixture.splitter.calls.seen("StartSeparation"));
}

TEST_CASE("passes the errors of each step of Separate on") {
  Fixture fixture;
  const grpc::Status refusal =
      BackendError(absl::StatusCode::kInvalidArgument, "UNKNOWN_FORMAT", "Send audio.");
  Answers before;
  SECTION("upload") {
    fixture.splitter.upload = [&](auto*, auto*, auto*) { return refusal; };
  }
  SECTION("create") {
    fixture.splitter.answer = [&](auto*) { return refusal; };
    before = {"track tracks/1"};
  }
  SECTION("watch") {
    fixture.assembler.watch = [&](auto*, auto*) { return refusal; };
    before = {"track tracks/1"};
  }
  SECTION("download") {
    fixture.assembler.download = [&](auto*, const auto&, auto*) { return refusal; };
    before = {"track tracks/1", "STATE_SEPARATING", "STATE_SUCCEEDED"};
  }
  fixture.Start();
  Separate call(fixture);
  call.Send({Start(true), Part(0, "song", true)});
  CHECK(call.ReadAll() == before);
  const SeenError error = call.Finish();
  CHECK(error.code == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(error.reason == "UNKNOWN_FORMAT");
  CHECK(error.message == "Send audio.");
}

TEST_CASE("names the service that is away in Separate") {
  Fixture fixture;
  fixture.Start();
  std::string service = "splitter";
  SECTION("the splitter") { fixture.StopSplitter(); }
  SECTION("the assembler") {
    fixture.StopAssembler();
    service = "assembler";
  }
  Separate call(fixture);
  call.Send({Start(), Part(0, "song", true)});
  call.ReadAll();
  const SeenError error = call.Finish();
  CHECK(error.code == grpc::StatusCode::UNAVAILABLE);
  CHECK(error.reason == "BACKEND_UNAVAILABLE");
  CHECK_THAT(error.message, Contains(service));
}

TEST_CASE("lets the job go on when the client of Separate goes away") {
  Fixture fixture;
  fixture.assembler.watch = [](auto* context, auto* writer) {
    writer->Write(News(v1::Separation::STATE_SEPARATING));
    AwaitCancelled(*context);
    return grpc::Status::OK;
  };
  fixture.Start();
  Separate call(fixture);
  call.Send({Start(), Part(0, "song", true)}, /*close=*/false);
  REQUIRE(call.Read() == "track tracks/1");
  REQUIRE(call.Read() == "STATE_SEPARATING");
  call.context.TryCancel();
  CHECK(call.Finish().code == grpc::StatusCode::CANCELLED);
  CHECK(fixture.assembler.streams_cancelled.Await(1));
  CHECK(fixture.splitter.calls.seen("StartSeparation"));
  CHECK_FALSE(fixture.assembler.calls.seen("CancelSeparation"));
}

TEST_CASE("creates the separation also when the client leaves as the upload completes") {
  Fixture fixture;
  Tally complete;
  fixture.splitter.answer = [&](auto*) {
    complete.Add();
    return grpc::Status::OK;
  };
  fixture.Start();
  Separate call(fixture);
  call.Send({Start(), Part(0, "song", true)});
  REQUIRE(call.Read() == "track tracks/1");
  call.context.TryCancel();
  CHECK(complete.Await(1));
  CHECK(call.Finish().code == grpc::StatusCode::CANCELLED);
}

TEST_CASE("tells the splitter when the client of Separate goes away while it uploads") {
  Fixture fixture;
  fixture.Start();
  Separate call(fixture);
  call.Send({Start(), Part(0, "so", false)}, /*close=*/false);
  REQUIRE(fixture.splitter.parts_taken.Await(1));
  call.context.TryCancel();
  CHECK(call.Finish().code == grpc::StatusCode::CANCELLED);
  CHECK(fixture.splitter.uploads_cancelled.Await(1));
  CHECK_FALSE(fixture.splitter.calls.seen("StartSeparation"));
}

TEST_CASE("refuses more calls of Separate than it has room for, and has room again later") {
  Fixture fixture;
  Config config;
  config.max_separate_calls = 1;
  fixture.Start(config);
  Separate first(fixture);
  first.Send({Start(), Part(0, "so", false)}, /*close=*/false);
  REQUIRE(fixture.splitter.parts_taken.Await(1));
  Separate second(fixture);
  const SeenError error = second.Finish();
  CHECK(error.code == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(error.reason == "OVERLOADED");
  first.Send({Part(2, "ng", true)});
  first.ReadAll();
  CHECK(first.Finish().code == grpc::StatusCode::OK);
  Separate third(fixture);
  third.Send({Start(), Part(0, "song", true)});
  third.ReadAll();
  CHECK(third.Finish().code == grpc::StatusCode::OK);
}

TEST_CASE("a client of Separate that says nothing is ended, and its place is free again") {
  Fixture fixture;
  Config config;
  config.max_separate_calls = 1;
  config.separate_patience = absl::Seconds(2);
  fixture.Start(config);
  const bool begun = GENERATE(false, true);
  Separate silent(fixture);
  if (begun) silent.Send({Start(), Part(0, "so", false)}, /*close=*/false);
  const SeenError error = silent.Finish();
  CHECK(error.code == grpc::StatusCode::UNAVAILABLE);
  CHECK(error.reason == "UPLOAD_SILENT");
  Separate next(fixture);
  next.Send({Start(), Part(0, "song", true)});
  next.ReadAll();
  CHECK(next.Finish().code == grpc::StatusCode::OK);
}

TEST_CASE("Case 35: the limits of uploads hold in Separate, too") {
  Fixture fixture;
  Config config;
  config.max_upload_bytes = 3;
  fixture.Start(config);
  Separate call(fixture);
  call.Send({Start(), Part(0, "song", true)});
  const SeenError error = call.Finish();
  CHECK(error.code == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(error.reason == "FILE_TOO_LARGE");
  CHECK(error.facts.at("limit_bytes") == "3");
}

}  // namespace
}  // namespace unbraid::gateway
