#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "absl/synchronization/notification.h"
#include "tests/component/gateway/fixture.h"

namespace unbraid::gateway {
namespace {

using Catch::Contains;

constexpr size_t kPart = 256 << 10;

v1::WatchSeparationRequest Watched() {
  v1::WatchSeparationRequest request;
  request.set_name("separations/2");
  return request;
}

v1::DownloadStemRequest Vocals(int64_t offset = 0) {
  v1::DownloadStemRequest request;
  request.set_name("separations/2/stems/vocals");
  request.set_read_offset(offset);
  return request;
}

// Sends parts, numbered by their offset, until the other side has gone or `count` are sent.
void SendParts(FakeAssembler::Parts* writer, int64_t count, Tally* sent = nullptr) {
  v1::DownloadStemResponse part;
  part.set_data(std::string(kPart, 's'));
  for (int64_t i = 0; i < count; ++i) {
    part.set_offset(i);
    if (!writer->Write(part)) return;
    if (sent != nullptr) sent->Add();
  }
}

TEST_CASE("passes a watched separation on until its end") {
  Fixture fixture;
  fixture.Start();
  Patient context;
  const auto stub = fixture.Separations();
  const auto reader = stub->WatchSeparation(&context, Watched());
  v1::WatchSeparationResponse news;
  std::vector<v1::Separation::State> states;
  while (reader->Read(&news)) states.push_back(news.separation().state());
  CHECK(reader->Finish().ok());
  // Those before the last may be skipped.
  CHECK(std::is_sorted(states.begin(), states.end()));
  CHECK(states.back() == v1::Separation::STATE_SUCCEEDED);
  CHECK(fixture.assembler.calls.request("WatchSeparation") == R"(name: "separations/2")");
  CHECK(fixture.assembler.calls.owner("WatchSeparation") == "default");
}

TEST_CASE("passes a download on, from its offset") {
  Fixture fixture;
  fixture.Start();
  Patient context;
  const auto stub = fixture.Separations();
  const auto reader = stub->DownloadStem(&context, Vocals(100));
  v1::DownloadStemResponse part;
  REQUIRE(reader->Read(&part));
  CHECK(part.stem_file().name() == "separations/2/stems/vocals");
  CHECK(part.offset() == 100);
  CHECK(part.data() == "begin");
  REQUIRE(reader->Read(&part));
  CHECK_FALSE(part.has_stem_file());
  CHECK(part.data() == "end");
  CHECK_FALSE(reader->Read(&part));
  CHECK(reader->Finish().ok());
}

TEST_CASE("passes an error on that comes after some messages") {
  Fixture fixture;
  fixture.assembler.watch = [](auto*, auto* writer) {
    writer->Write(News(v1::Separation::STATE_SEPARATING));
    return BackendError(absl::StatusCode::kNotFound, "UNKNOWN_SEPARATION", "It was deleted.");
  };
  fixture.Start();
  Patient context;
  const auto stub = fixture.Separations();
  const auto reader = stub->WatchSeparation(&context, Watched());
  v1::WatchSeparationResponse news;
  CHECK(reader->Read(&news));
  while (reader->Read(&news)) {
  }
  const SeenError error = See(reader->Finish());
  CHECK(error.code == grpc::StatusCode::NOT_FOUND);
  CHECK(error.reason == "UNKNOWN_SEPARATION");
  CHECK(error.message == "It was deleted.");
}

TEST_CASE("cancels a silent watch at the assembler when the client goes away") {
  Fixture fixture;
  fixture.assembler.watch = [](auto* context, auto*) {
    AwaitCancelled(*context);
    return grpc::Status::OK;
  };
  fixture.Start();
  Patient context;
  const auto stub = fixture.Separations();
  const auto reader = stub->WatchSeparation(&context, Watched());
  REQUIRE(fixture.assembler.streams_begun.Await(1));
  context.TryCancel();
  CHECK(reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
  CHECK(fixture.assembler.streams_cancelled.Await(1));
}

TEST_CASE("says so when the assembler is away, or goes away in the middle of a stream") {
  Fixture fixture;
  fixture.assembler.watch = [](auto* context, auto* writer) {
    writer->Write(News(v1::Separation::STATE_SEPARATING));
    AwaitCancelled(*context);
    return grpc::Status::OK;
  };
  fixture.Start();
  const auto stub = fixture.Separations();
  for (int round = 0; round < 2; ++round) {
    Patient context;
    const auto reader = stub->WatchSeparation(&context, Watched());
    v1::WatchSeparationResponse news;
    if (round == 0) {
      REQUIRE(reader->Read(&news));
      REQUIRE(fixture.assembler.streams_begun.Await(1));
      fixture.StopAssembler();
    }
    while (reader->Read(&news)) {
    }
    const SeenError error = See(reader->Finish());
    CHECK(error.code == grpc::StatusCode::UNAVAILABLE);
    CHECK(error.reason == "BACKEND_UNAVAILABLE");
    CHECK_THAT(error.message, Contains("The assembler does not answer"));
  }
}

TEST_CASE("a slow client slows the assembler down, and still gets everything in order") {
  constexpr int64_t kParts = 512;     // 128 MiB
  constexpr int64_t kInFlight = 200;  // 50 MiB: the windows of two connections, and sockets
  Fixture fixture;
  Tally sent;
  fixture.assembler.download = [&](auto*, const auto&, auto* writer) {
    SendParts(writer, kParts, &sent);
    return grpc::Status::OK;
  };
  fixture.Start();
  Patient context;
  const auto stub = fixture.Separations();
  const auto reader = stub->DownloadStem(&context, Vocals());
  v1::DownloadStemResponse part;
  for (int64_t i = 0; i < kParts; ++i) {
    // At every moment, what is sent and not read is in windows and sockets, not in the gateway.
    CHECK(sent.count() - i < kInFlight);
    REQUIRE(reader->Read(&part));
    REQUIRE(part.offset() == i);
  }
  CHECK_FALSE(reader->Read(&part));
  CHECK(reader->Finish().ok());
}

TEST_CASE("survives clients that go away at any moment") {
  constexpr int kCalls = 200;
  constexpr int kClients = 4;
  Fixture fixture;
  fixture.assembler.download = [](auto*, const auto&, auto* writer) {
    SendParts(writer, 1000);
    return grpc::Status::OK;
  };
  fixture.assembler.watch = [](auto* context, auto* writer) {
    while (!context->IsCancelled() && writer->Write(News(v1::Separation::STATE_SEPARATING))) {
    }
    return grpc::Status::OK;
  };
  fixture.Start();
  const auto stub = fixture.Separations();
  auto cancel_after = [&stub](int messages, bool download) {
    Patient context;
    v1::DownloadStemResponse part;
    v1::WatchSeparationResponse news;
    if (download) {
      const auto reader = stub->DownloadStem(&context, Vocals());
      for (int i = 0; i < messages; ++i) reader->Read(&part);
      context.TryCancel();
      return reader->Finish();
    }
    const auto reader = stub->WatchSeparation(&context, Watched());
    for (int i = 0; i < messages; ++i) reader->Read(&news);
    context.TryCancel();
    return reader->Finish();
  };
  std::vector<std::thread> clients;
  Tally cancelled;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < kCalls / kClients; ++i) {
        const grpc::Status status = cancel_after(i % 7, (client + i) % 2 == 0);
        if (status.error_code() == grpc::StatusCode::CANCELLED) cancelled.Add();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(cancelled.count() == kCalls);
  // Whatever reached the assembler has ended there; a call cancelled at once may not have.
  CHECK(fixture.assembler.streams_ended.Await(fixture.assembler.streams_begun.count()));
  v1::Separation separation;
  Patient context;
  CHECK(stub->GetSeparation(&context, v1::GetSeparationRequest(), &separation).ok());
}

TEST_CASE("cancels streams that outlive the grace period of a shutdown") {
  Fixture fixture;
  fixture.assembler.download = [](auto* context, const auto&, auto* writer) {
    SendParts(writer, 1);
    AwaitCancelled(*context);
    return grpc::Status::OK;
  };
  fixture.Start();
  Patient context;
  const auto stub = fixture.Separations();
  const auto reader = stub->DownloadStem(&context, Vocals());
  v1::DownloadStemResponse part;
  REQUIRE(reader->Read(&part));
  fixture.gateway->Drain();
  CHECK_FALSE(reader->Read(&part));
  CHECK(reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(fixture.assembler.streams_cancelled.Await(1));
  CHECK(fixture.Get("/readyz") == std::make_pair(503, std::string("shutting down\n")));
}

}  // namespace
}  // namespace unbraid::gateway
