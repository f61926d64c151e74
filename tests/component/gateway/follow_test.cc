#include <catch2/catch.hpp>

#include "tests/component/gateway/fixture.h"

namespace unbraid::gateway {
namespace {

v1::DownloadStemRequest Request() {
  v1::DownloadStemRequest request;
  request.set_name("separations/2/stems/vocals");
  request.set_read_offset(64);
  request.set_follow(true);
  return request;
}

v1::DownloadStemResponse Format() {
  v1::DownloadStemResponse first;
  first.mutable_pcm()->set_sample_rate_hz(48'000);
  first.mutable_pcm()->set_channels(1);
  first.mutable_pcm()->set_frames(1'000);
  first.set_offset(64);
  return first;
}

TEST_CASE("following a stem reaches the assembler unchanged, and its format comes back") {
  Fixture fixture;
  fixture.assembler.download = [](auto*, const auto&, auto* writer) {
    writer->Write(Format());
    v1::DownloadStemResponse part;
    part.set_offset(64);
    part.set_data("samples!");
    writer->Write(part);
    return BackendError(absl::StatusCode::kAborted, "SEPARATION_FAILED", "Chunk 3 failed.",
                        {{"failure_reason", "CHUNK_FAILED"}});
  };
  fixture.Start();
  Patient context;
  const auto stub = fixture.Separations();
  const auto reader = stub->DownloadStem(&context, Request());
  v1::DownloadStemResponse part;
  REQUIRE(reader->Read(&part));
  CHECK(part.SerializeAsString() == Format().SerializeAsString());
  REQUIRE(reader->Read(&part));
  CHECK_FALSE(part.has_pcm());
  CHECK(part.data() == "samples!");
  CHECK_FALSE(reader->Read(&part));
  const SeenError error = See(reader->Finish());
  CHECK(error.code == grpc::StatusCode::ABORTED);
  CHECK(error.reason == "SEPARATION_FAILED");
  CHECK(error.facts.at("failure_reason") == "CHUNK_FAILED");
  CHECK(fixture.assembler.calls.request("DownloadStem") ==
        R"(name: "separations/2/stems/vocals" read_offset: 64 follow: true)");
}

TEST_CASE("a followed stem may stay silent for as long as it takes: no deadline is put on it") {
  Fixture fixture;
  Tally bounded;
  fixture.assembler.download = [&](auto* context, const auto&, auto* writer) {
    if (context->deadline() != std::chrono::system_clock::time_point::max()) bounded.Add();
    writer->Write(Format());
    AwaitCancelled(*context);
    return grpc::Status::OK;
  };
  Config config;
  config.unary_deadline = absl::Seconds(1);
  fixture.Start(config);
  grpc::ClientContext context;  // without a deadline of the client's
  const auto stub = fixture.Separations();
  const auto reader = stub->DownloadStem(&context, Request());
  v1::DownloadStemResponse part;
  REQUIRE(reader->Read(&part));
  CHECK(bounded.count() == 0);
  context.TryCancel();
  CHECK(reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
  CHECK(fixture.assembler.streams_cancelled.Await(1));
}

}  // namespace
}  // namespace unbraid::gateway
