#include <catch2/catch.hpp>
#include <thread>

#include "services/common/grpc/status_convert.h"
#include "tests/component/assembler/harness.h"

namespace unbraid::assembler {
namespace {

using internal::v1::WatchWorkResponse;

// One WatchWork call.
class Work {
 public:
  explicit Work(Harness* harness, const std::string& splitter = "splitter-1")
      : context_(StreamContext()) {
    internal::v1::WatchWorkRequest request;
    request.set_splitter(splitter);
    reader_ = harness->stub()->WatchWork(context_.get(), request);
  }
  WatchWorkResponse Next() {
    WatchWorkResponse news;
    CHECK(reader_->Read(&news));
    return news;
  }
  absl::Status Finish() {
    WatchWorkResponse news;
    while (reader_->Read(&news)) {
    }
    return grpc_util::FromGrpc(reader_->Finish());
  }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<WatchWorkResponse>> reader_;
};

// What has come over gRPC is behind the subscription only once the engine is free again.
void Settle(Harness* harness) {
  harness->bench.On([](Engine&) { return true; });
}

}  // namespace

TEST_CASE("a splitter sees its work begin, need another try, and end") {
  Harness harness;
  Song song;
  Work work(&harness);
  CHECK(work.Next().snapshot_end());
  Settle(&harness);
  internal::v1::OpenSeparationResponse opened;
  REQUIRE(harness.Open(song, &opened).ok());
  const WatchWorkResponse active = work.Next();
  CHECK(active.active().separation_id() == 123);
  CHECK(active.active().attempt() == 1);
  CHECK(active.active().chunks() == 0);
  google::protobuf::Empty empty;
  REQUIRE(harness.Call(&Harness::Stub::PlanSeparation, song.Plan(), &empty).ok());
  REQUIRE(harness.bench.Send(song.Failure(2, 1)).ok());
  const WatchWorkResponse retry = work.Next();
  CHECK(retry.retry().chunk_index() == 2);
  CHECK(retry.retry().try_() == 2);
  REQUIRE(harness.Cancel(song).ok());
  const WatchWorkResponse ended = work.Next();
  CHECK(ended.ended().separation_id() == 123);
  CHECK(ended.ended().attempt() == 1);
  // Opened anew.
  REQUIRE(harness.Open(song, &opened).ok());
  CHECK(opened.attempt() == 2);
  CHECK(work.Next().active().attempt() == 2);
}

TEST_CASE("a splitter that comes back gets the state of all its work") {
  Harness harness;
  Song song;
  harness.bench.Begin(song);
  harness.bench.SendChunk(song, 1);
  Work work(&harness);
  const WatchWorkResponse active = work.Next();
  CHECK(active.active().chunks() == 5);
  CHECK(active.active().done_chunks() == std::string("\x02", 1));
  CHECK(work.Next().snapshot_end());
  Work other(&harness, "splitter-2");
  CHECK(other.Next().snapshot_end());
}

TEST_CASE("a splitter that does not read is cut off, and others are not held up") {
  Harness harness;
  Work slow(&harness);
  Work quick(&harness);
  CHECK(slow.Next().snapshot_end());
  CHECK(quick.Next().snapshot_end());
  Settle(&harness);
  WatchWorkResponse news;
  news.mutable_ended()->set_separation_id(5);
  constexpr int kFlood = 60'000;
  std::thread reader([&] {
    for (int i = 0; i < kFlood / 100; ++i) CHECK(quick.Next().has_ended());
  });
  for (int i = 0; i < kFlood / 100; ++i) harness.bench.feed.Publish("splitter-1", news);
  reader.join();
  for (int i = 0; i < kFlood; ++i) harness.bench.feed.Publish("splitter-1", news);
  CHECK(absl::IsAborted(slow.Finish()));
}

TEST_CASE("when the service ends its splitters are told to come again") {
  Harness harness;
  Work work(&harness);
  CHECK(work.Next().snapshot_end());
  Settle(&harness);
  harness.bench.feed.CloseAll();
  CHECK(absl::IsUnavailable(work.Finish()));
  Work late(&harness);
  CHECK(absl::IsUnavailable(late.Finish()));
}

TEST_CASE("the status names the assembler") {
  Harness harness;
  internal::v1::GetAssemblerStatusResponse status;
  REQUIRE(harness
              .Call(&Harness::Stub::GetAssemblerStatus, internal::v1::GetAssemblerStatusRequest(),
                    &status)
              .ok());
  CHECK(status.assembler() == "assembler-7");
  CHECK(status.service().name() == "assembler");
  CHECK(status.service().available());
}

}  // namespace unbraid::assembler
