#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/component/gateway/fixture.h"

namespace unbraid::gateway {
namespace {

using State = v1::Separation::State;

v1::WatchSeparationResponse NewsOf(State state, int64_t version) {
  v1::WatchSeparationResponse news = News(state);
  news.mutable_separation()->set_version(version);
  return news;
}

// One client that watches.
class Watching {
 public:
  explicit Watching(v1::SeparationService::Stub* stub) {
    request_.set_name("separations/2");
    reader_ = stub->WatchSeparation(&context_, request_);
  }
  bool Read() {
    if (!reader_->Read(&news_)) return false;
    versions.push_back(news_.separation().version());
    return true;
  }
  // Reads until this version has come.
  bool ReadUpTo(int64_t version) {
    while (versions.empty() || versions.back() < version) {
      if (!Read()) return false;
    }
    return true;
  }
  grpc::Status End() {
    while (Read()) {
    }
    return reader_->Finish();
  }
  void Leave() { context_.TryCancel(); }
  State state() const { return news_.separation().state(); }

  std::vector<int64_t> versions;

 private:
  Patient context_;
  v1::WatchSeparationRequest request_;
  v1::WatchSeparationResponse news_;
  std::unique_ptr<grpc::ClientReader<v1::WatchSeparationResponse>> reader_;
};

// An assembler with one separation whose state a test moves on.
class Stage {
 public:
  Stage() {
    fixture.assembler.fill = [this](v1::Separation* separation) {
      separation->set_state(v1::Separation::STATE_SEPARATING);
      separation->set_version(asked_version);
    };
    fixture.assembler.watch = [this](auto* context, auto* writer) {
      writer->Write(NewsOf(v1::Separation::STATE_SEPARATING, 10));
      for (int64_t told = 10; !context->IsCancelled();) {
        absl::SleepFor(absl::Milliseconds(1));  // the synchronous server cannot wait for both
        const int64_t version = newest;
        if (version == told) continue;
        told = version;
        const bool last = ended;
        writer->Write(NewsOf(
            last ? v1::Separation::STATE_SUCCEEDED : v1::Separation::STATE_SEPARATING, told));
        if (last) break;
      }
      return grpc::Status::OK;
    };
  }

  Fixture fixture;
  std::atomic<int64_t> asked_version{10};
  std::atomic<int64_t> newest{10};
  std::atomic<bool> ended{false};
};

TEST_CASE("all watchers of a separation share one stream of the assembler, and all see its end") {
  Stage stage;
  stage.fixture.Start();
  const auto stub = stage.fixture.Separations();
  std::vector<std::unique_ptr<Watching>> watchers;
  for (int i = 0; i < 50; ++i) watchers.push_back(std::make_unique<Watching>(stub.get()));
  for (const auto& watcher : watchers) REQUIRE(watcher->ReadUpTo(10));
  stage.newest = 11;
  for (const auto& watcher : watchers) REQUIRE(watcher->ReadUpTo(11));
  CHECK(stage.fixture.assembler.streams_begun.count() == 1);
  CHECK(stage.fixture.assembler.asked.count() == 50);
  stage.ended = true;
  stage.newest = 12;
  for (const auto& watcher : watchers) {
    CHECK(watcher->End().ok());
    CHECK(watcher->state() == v1::Separation::STATE_SUCCEEDED);
  }
  CHECK(stage.fixture.assembler.streams_begun.count() == 1);
}

TEST_CASE("the stream ends with its last watcher, and begins anew with the next") {
  Stage stage;
  stage.fixture.Start();
  const auto stub = stage.fixture.Separations();
  Watching one(stub.get());
  Watching two(stub.get());
  REQUIRE(one.ReadUpTo(10));
  REQUIRE(two.ReadUpTo(10));
  REQUIRE(stage.fixture.assembler.streams_begun.Await(1));
  one.Leave();
  CHECK(one.End().error_code() == grpc::StatusCode::CANCELLED);
  stage.newest = 11;
  REQUIRE(two.ReadUpTo(11));
  CHECK(stage.fixture.assembler.streams_cancelled.count() == 0);
  two.Leave();
  REQUIRE(stage.fixture.assembler.streams_cancelled.Await(1));
  Watching three(stub.get());
  stage.newest = 12;
  REQUIRE(three.ReadUpTo(12));
  CHECK(stage.fixture.assembler.streams_begun.count() == 2);
}

TEST_CASE("who comes later sees at once how things stand, and never an older state after it") {
  Stage stage;
  stage.fixture.Start();
  const auto stub = stage.fixture.Separations();
  Watching early(stub.get());
  REQUIRE(early.ReadUpTo(10));
  // The assembler has gone on, but its news are still on their way.
  stage.asked_version = 20;
  Watching late(stub.get());
  REQUIRE(late.Read());
  CHECK(late.versions == std::vector<int64_t>{20});
  stage.newest = 19;
  REQUIRE(early.ReadUpTo(19));
  stage.newest = 21;
  REQUIRE(late.ReadUpTo(21));
  CHECK(late.versions == std::vector<int64_t>{20, 21});
}

TEST_CASE("nobody watches what the assembler does not let them see") {
  Stage stage;
  stage.fixture.Start();
  const auto stub = stage.fixture.Separations();
  Watching allowed(stub.get());
  REQUIRE(allowed.ReadUpTo(10));
  stage.fixture.assembler.answer = [](auto*) {
    return BackendError(absl::StatusCode::kNotFound, "UNKNOWN_SEPARATION", "There is none.");
  };
  Watching refused(stub.get());
  CHECK(See(refused.End()).reason == "UNKNOWN_SEPARATION");
  CHECK(refused.versions.empty());
}

TEST_CASE("what has ended is told without a stream") {
  Stage stage;
  stage.fixture.assembler.fill = [](v1::Separation* separation) {
    separation->set_state(v1::Separation::STATE_CANCELLED);
  };
  stage.fixture.Start();
  const auto stub = stage.fixture.Separations();
  Watching watching(stub.get());
  CHECK(watching.End().ok());
  CHECK(watching.state() == v1::Separation::STATE_CANCELLED);
  CHECK(stage.fixture.assembler.streams_begun.count() == 0);
}

TEST_CASE("a watch that grows too old is ended, and the next call goes on") {
  Stage stage;
  Config config;
  config.max_stream_age = absl::Milliseconds(300);
  stage.fixture.Start(config);
  const auto stub = stage.fixture.Separations();
  Watching first(stub.get());
  const SeenError error = See(first.End());
  CHECK(error.code == grpc::StatusCode::UNAVAILABLE);
  CHECK(error.reason == "STREAM_TOO_OLD");
  stage.ended = true;
  stage.newest = 11;
  Watching second(stub.get());
  CHECK(second.End().ok());
}

TEST_CASE("a followed stem that grows too old is ended, a plain download is not") {
  Fixture fixture;
  absl::Notification finish;
  fixture.assembler.download = [&](auto* context, const v1::DownloadStemRequest& request,
                                   auto* writer) {
    v1::DownloadStemResponse part;
    part.set_data("data");
    writer->Write(part);
    if (request.follow()) {
      AwaitCancelled(*context);
    } else {
      finish.WaitForNotification();
    }
    return grpc::Status::OK;
  };
  Config config;
  config.max_stream_age = absl::Milliseconds(300);
  fixture.Start(config);
  const auto stub = fixture.Separations();
  v1::DownloadStemRequest request;
  request.set_name("separations/2/stems/vocals");
  Patient plain_context;
  const auto plain = stub->DownloadStem(&plain_context, request);
  request.set_follow(true);
  Patient context;
  const auto follow = stub->DownloadStem(&context, request);
  v1::DownloadStemResponse part;
  REQUIRE(follow->Read(&part));
  CHECK_FALSE(follow->Read(&part));
  CHECK(See(follow->Finish()).reason == "STREAM_TOO_OLD");
  CHECK(fixture.assembler.streams_cancelled.Await(1));
  finish.Notify();
  REQUIRE(plain->Read(&part));
  CHECK_FALSE(plain->Read(&part));
  CHECK(plain->Finish().ok());
}

TEST_CASE("watchers are sent away at once when the gateway leaves") {
  Stage stage;
  stage.fixture.Start();
  const auto stub = stage.fixture.Separations();
  Watching watching(stub.get());
  REQUIRE(watching.ReadUpTo(10));
  stage.fixture.gateway->Drain();
  const SeenError error = See(watching.End());
  CHECK(error.code == grpc::StatusCode::UNAVAILABLE);
  CHECK(error.reason == "BACKEND_UNAVAILABLE");
}

}  // namespace
}  // namespace unbraid::gateway
