#include <grpcpp/completion_queue.h>

#include <catch2/catch.hpp>
#include <limits>

#include "absl/synchronization/notification.h"
#include "tests/component/gateway/fixture.h"

namespace unbraid::gateway {
namespace {

using Catch::Contains;

constexpr size_t kPart = 256 << 10;

v1::UploadTrackRequest First(const std::string& name = "song.wav") {
  v1::UploadTrackRequest part;
  part.mutable_spec()->set_display_name(name);
  return part;
}

v1::UploadTrackRequest Part(int64_t offset, size_t size, bool last = false) {
  v1::UploadTrackRequest part;
  part.set_write_offset(offset);
  part.set_data(std::string(size, 'x'));
  part.set_finish_write(last);
  return part;
}

// Sends these messages, closes the sending side unless told otherwise, and waits for the answer.
struct Upload {
  Upload(const Fixture& fixture, const std::vector<v1::UploadTrackRequest>& parts,
         bool close = true) {
    Patient context;
    const auto stub = fixture.Tracks();
    const auto writer = stub->UploadTrack(&context, &response);
    for (const auto& part : parts) {
      if (!writer->Write(part)) break;
    }
    if (close) writer->WritesDone();
    const grpc::Status status = writer->Finish();
    ok = status.ok();
    error = See(status);
  }

  v1::UploadTrackResponse response;
  bool ok = false;
  SeenError error;
};

TEST_CASE("passes an upload on part by part, and the answer back") {
  Fixture fixture;
  fixture.Start();
  v1::UploadTrackRequest first = First("04 絆ふぉーえばー.mp3");
  first.set_data("one ");
  v1::UploadTrackRequest last = Part(4, 0, true);
  last.set_data("two");
  const Upload upload(fixture, {first, last});
  INFO(upload.error.message);
  REQUIRE(upload.ok);
  CHECK(upload.response.track().name() == "tracks/1");
  CHECK(upload.response.committed_size() == 7);
  CHECK(fixture.splitter.uploaded == "one two");
  CHECK(fixture.splitter.display_name == "04 絆ふぉーえばー.mp3");
  CHECK(fixture.splitter.calls.owner("UploadTrack") == "default");
  const std::string metrics = fixture.Get("/metrics").second;
  CHECK_THAT(metrics,
             Contains(R"(unbraid_gateway_bytes_total{direction="up",method="UploadTrack"})"));
  CHECK_THAT(metrics, Contains(R"(calls_total{code="OK",method="UploadTrack"} 1)"));
}

TEST_CASE("answers a stream that is half-closed early as the splitter does") {
  Fixture fixture;
  fixture.Start();
  const Upload upload(fixture, {First(), Part(0, 10)});
  REQUIRE(upload.ok);
  CHECK(upload.response.committed_size() == 10);
  CHECK_FALSE(upload.response.has_track());
}

TEST_CASE("takes parts from the client no faster than the splitter does") {
  constexpr int kParts = 512;        // 128 MiB
  constexpr int kInFlightMax = 200;  // 50 MiB: the windows of two connections, and sockets
  Fixture fixture;
  absl::Notification go;
  fixture.splitter.upload = [&](auto*, auto* parts, auto* response) {
    go.WaitForNotificationWithTimeout(kPatience);
    return fixture.splitter.TakeUpload(parts, response);
  };
  fixture.Start();
  Patient context;
  v1::UploadTrackResponse response;
  grpc::CompletionQueue queue;
  const auto stub = fixture.Tracks();
  const auto writer = stub->AsyncUploadTrack(&context, &response, &queue, nullptr);
  void* tag = nullptr;
  bool ok = false;
  REQUIRE(queue.Next(&tag, &ok));
  int sent = 0;
  for (int i = 0; i < kParts; ++i) {
    v1::UploadTrackRequest part = Part(static_cast<int64_t>(i * kPart), kPart, i == kParts - 1);
    if (i == 0) *part.mutable_spec() = First().spec();
    writer->Write(part, nullptr);
    // The stall itself is what is waited for: it shows as no progress for a while.
    const auto stalled = std::chrono::system_clock::now() + std::chrono::seconds(1);
    if (!go.HasBeenNotified() &&
        queue.AsyncNext(&tag, &ok, stalled) == grpc::CompletionQueue::TIMEOUT) {
      CHECK(fixture.splitter.parts_taken.count() == 0);
      CHECK(sent < kInFlightMax);
      go.Notify();
      REQUIRE(queue.Next(&tag, &ok));
    } else if (go.HasBeenNotified()) {
      REQUIRE(queue.Next(&tag, &ok));
    }
    REQUIRE(ok);
    ++sent;
  }
  REQUIRE(go.HasBeenNotified());
  writer->WritesDone(nullptr);
  REQUIRE(queue.Next(&tag, &ok));
  grpc::Status status;
  writer->Finish(&status, nullptr);
  REQUIRE(queue.Next(&tag, &ok));
  CHECK(status.ok());
  CHECK(fixture.splitter.uploaded.size() == kParts * kPart);
}

TEST_CASE("ends the client's call at once when the splitter refuses in the middle") {
  Fixture fixture;
  fixture.splitter.upload = [](auto*, auto* parts, auto*) {
    v1::UploadTrackRequest part;
    parts->Read(&part);
    return BackendError(absl::StatusCode::kDataLoss, "CHECKSUM_MISMATCH", "Send it again.",
                        {{"committed_size", "5"}});
  };
  fixture.Start();
  // The client neither sends on nor says that it has ended.
  const Upload upload(fixture, {First()}, /*close=*/false);
  CHECK(upload.error.code == grpc::StatusCode::DATA_LOSS);
  CHECK(upload.error.reason == "CHECKSUM_MISMATCH");
  CHECK(upload.error.message == "Send it again.");
  CHECK(upload.error.facts.at("committed_size") == "5");
}

TEST_CASE("tells a client that goes on sending that the splitter has refused") {
  Fixture fixture;
  fixture.splitter.upload = [](auto*, auto*, auto*) {
    return BackendError(absl::StatusCode::kResourceExhausted, "DISK_FULL", "Free some space.");
  };
  fixture.Start();
  std::vector<v1::UploadTrackRequest> parts = {First()};
  for (int i = 0; i < 100; ++i) parts.push_back(Part(static_cast<int64_t>(i * kPart), kPart));
  const Upload upload(fixture, parts);
  CHECK(upload.error.code == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(upload.error.reason == "DISK_FULL");
}

TEST_CASE("gives an early answer of the splitter to a client that has not closed its side") {
  Fixture fixture;
  fixture.splitter.upload = [](auto*, auto* parts, auto* response) {
    v1::UploadTrackRequest part;
    while (parts->Read(&part) && !part.finish_write()) {
    }
    response->mutable_track()->set_name("tracks/1");
    return grpc::Status::OK;
  };
  fixture.Start();
  v1::UploadTrackRequest only = First();
  only.set_data("all");
  only.set_finish_write(true);
  const Upload upload(fixture, {only}, /*close=*/false);
  CHECK(upload.ok);
  CHECK(upload.response.track().name() == "tracks/1");
}

TEST_CASE("refuses a part of more than 1 MiB, and takes one of exactly 1 MiB") {
  Fixture fixture;
  fixture.Start();
  CHECK(Upload(fixture, {First(), Part(0, 1 << 20, true)}).ok);
  const Upload upload(fixture, {First(), Part(0, (1 << 20) + 1, true)});
  CHECK(upload.error.code == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(upload.error.reason == "INVALID_UPLOAD");
  CHECK_THAT(upload.error.message, Contains("1048576 bytes"));
  CHECK(fixture.splitter.uploads_cancelled.Await(1));
}

TEST_CASE("Case 35: names the limit of a file that is too large, in bytes, before it is sent") {
  Fixture fixture;
  Config config;
  config.max_upload_bytes = 1000;
  fixture.Start(config);
  auto check = [](const Upload& upload) {
    CHECK(upload.error.code == grpc::StatusCode::RESOURCE_EXHAUSTED);
    CHECK(upload.error.reason == "FILE_TOO_LARGE");
    CHECK_THAT(upload.error.message, Contains("1000 bytes"));
    CHECK(upload.error.facts.at("limit_bytes") == "1000");
  };
  v1::UploadTrackRequest announced = First();
  announced.mutable_spec()->set_total_bytes(1001);
  check(Upload(fixture, {announced}));
  CHECK(fixture.splitter.parts_taken.count() == 0);
  check(Upload(fixture, {First(), Part(0, 1000), Part(1000, 1)}));
  check(Upload(fixture, {First(), Part(std::numeric_limits<int64_t>::max(), 1)}));
  CHECK(Upload(fixture, {First(), Part(0, 1000, true)}).ok);
}

TEST_CASE("refuses streams that break the grammar of uploads") {
  Fixture fixture;
  fixture.Start();
  v1::UploadTrackRequest negative = First();
  negative.set_write_offset(-1);
  v1::UploadTrackRequest negative_total = First();
  negative_total.mutable_spec()->set_total_bytes(-1);
  const std::vector<std::vector<v1::UploadTrackRequest>> streams = {
      {}, {Part(0, 1)}, {First(), First()}, {negative}, {negative_total}};
  for (const auto& stream : streams) {
    const Upload upload(fixture, stream);
    CHECK(upload.error.code == grpc::StatusCode::INVALID_ARGUMENT);
    CHECK(upload.error.reason == "INVALID_UPLOAD");
  }
}

TEST_CASE("Case 31: refuses a label of more than 255 bytes, or one that is no UTF-8") {
  Fixture fixture;
  fixture.Start();
  CHECK(Upload(fixture, {First(std::string(255, 'n')), Part(0, 1, true)}).ok);
  const Upload upload(fixture, {First(std::string(256, 'n'))});
  CHECK(upload.error.code == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(upload.error.reason == "INVALID_NAME");
  const Upload garbled(fixture, {First("\xff\xfe")});
  CHECK(garbled.error.code == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK_THAT(garbled.error.message, Contains("UTF-8"));
}

TEST_CASE("ends the upload at the splitter when the client goes away") {
  Fixture fixture;
  fixture.Start();
  Patient context;
  v1::UploadTrackResponse response;
  const auto stub = fixture.Tracks();
  const auto writer = stub->UploadTrack(&context, &response);
  REQUIRE(writer->Write(First()));
  REQUIRE(fixture.splitter.parts_taken.Await(1));
  context.TryCancel();
  CHECK(writer->Finish().error_code() == grpc::StatusCode::CANCELLED);
  // Cancelled or half-closed, whichever gRPC notices first; what was brought is kept either way.
  CHECK(fixture.splitter.uploads_ended.Await(1));
}

TEST_CASE("says so when the splitter is away, or goes away in the middle of an upload") {
  Fixture fixture;
  fixture.Start();
  Patient context;
  v1::UploadTrackResponse response;
  const auto stub = fixture.Tracks();
  const auto writer = stub->UploadTrack(&context, &response);
  REQUIRE(writer->Write(First()));
  REQUIRE(fixture.splitter.parts_taken.Await(1));
  fixture.StopSplitter();
  const SeenError broken = See(writer->Finish());
  CHECK(broken.code == grpc::StatusCode::UNAVAILABLE);
  CHECK(broken.reason == "BACKEND_UNAVAILABLE");
  const Upload upload(fixture, {First()}, /*close=*/false);
  CHECK(upload.error.code == grpc::StatusCode::UNAVAILABLE);
  CHECK(upload.error.reason == "BACKEND_UNAVAILABLE");
  CHECK_THAT(upload.error.message, Contains("The splitter does not answer"));
}

}  // namespace
}  // namespace unbraid::gateway
