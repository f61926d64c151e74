#include "services/common/grpc/stream_writer.h"

#include <catch2/catch.hpp>

#include "absl/synchronization/notification.h"
#include "tests/unit/grpc/test_service.h"

namespace unbraid::grpc_util {
namespace {

using News = v1::WatchSeparationResponse;

News Version(int64_t version, size_t padding = 0) {
  News news;
  news.mutable_separation()->set_version(version);
  news.mutable_separation()->set_model(std::string(padding, 'm'));
  return news;
}

// A stream that tells when it is begun, drained and gone.
struct Events {
  absl::Notification begun;
  absl::Notification gone;
};

class TestWriter : public StreamWriter<News> {
 public:
  explicit TestWriter(Events* events) : events_(events) {}
  ~TestWriter() override { events_->gone.Notify(); }
  using StreamWriter<News>::Hold;
  using StreamWriter<News>::Release;
  using StreamWriter<News>::TryHold;

 private:
  Events* const events_;
};

struct Watch {
  Watch() {
    fixture.service.watch = [this] {
      writer = new TestWriter(&events);
      events.begun.Notify();
      return writer;
    };
    PrepareCall(&context, absl::Seconds(30), kDefaultOwner);
    reader = fixture.stub->WatchSeparation(&context, v1::WatchSeparationRequest());
    events.begun.WaitForNotification();
  }

  std::vector<int64_t> ReadAll() {
    std::vector<int64_t> versions;
    News news;
    while (reader->Read(&news)) versions.push_back(news.separation().version());
    return versions;
  }

  Events events;  // outlives the server, and so the writer
  TestServer fixture;
  TestWriter* writer = nullptr;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<News>> reader;
};

TEST_CASE("sends what is queued in order, then the status") {
  Watch watch;
  for (int64_t i = 0; i < 100; ++i) watch.writer->Enqueue(Version(i));
  watch.writer->FinishAfterQueue(grpc::Status(grpc::StatusCode::ABORTED, "end"));
  const std::vector<int64_t> versions = watch.ReadAll();
  REQUIRE(versions.size() == 100);
  CHECK(std::is_sorted(versions.begin(), versions.end()));
  CHECK(watch.reader->Finish().error_message() == "end");
  watch.events.gone.WaitForNotification();
}

TEST_CASE("a slow client gets the newest state, skipping older ones, never out of order") {
  constexpr int64_t kStates = 2000;
  constexpr size_t kPadding = 64 << 10;  // so that the connection's windows fill
  Watch watch;
  for (int64_t i = 1; i <= kStates; ++i) watch.writer->Replace(Version(i, kPadding));
  CHECK(watch.writer->queued() <= 1);
  watch.writer->FinishAfterQueue(grpc::Status::OK);
  const std::vector<int64_t> versions = watch.ReadAll();
  CHECK(watch.reader->Finish().ok());
  CHECK(versions.size() < static_cast<size_t>(kStates));
  CHECK(std::is_sorted(versions.begin(), versions.end()));
  CHECK(versions.back() == kStates);
}

TEST_CASE("ends at once when told, without what is queued") {
  Watch watch;
  for (int64_t i = 0; i < 100; ++i) watch.writer->Enqueue(Version(i, 1 << 20));
  watch.writer->FinishNow(grpc::Status(grpc::StatusCode::UNAVAILABLE, "closing"));
  CHECK(watch.ReadAll().size() < 100);
  CHECK(watch.reader->Finish().error_message() == "closing");
}

TEST_CASE("goes when the client has gone") {
  Watch watch;
  watch.writer->Enqueue(Version(1));
  watch.context.TryCancel();
  watch.events.gone.WaitForNotification();
  CHECK(watch.reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
}

TEST_CASE("stays as long as somebody holds it") {
  Watch watch;
  watch.writer->Hold();
  watch.context.TryCancel();
  CHECK(watch.reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
  watch.writer->Enqueue(Version(1));  // ignored, and safe
  CHECK_FALSE(watch.events.gone.HasBeenNotified());
  watch.writer->Release();
  watch.events.gone.WaitForNotification();
}

TEST_CASE("cannot be held any more once its end is decided") {
  Watch watch;
  REQUIRE(watch.writer->TryHold());
  watch.writer->FinishNow(grpc::Status(grpc::StatusCode::UNAVAILABLE, "closing"));
  CHECK_FALSE(watch.writer->TryHold());
  CHECK_FALSE(watch.events.gone.HasBeenNotified());
  watch.writer->Release();
  CHECK(watch.reader->Finish().error_message() == "closing");
  watch.events.gone.WaitForNotification();
}

}  // namespace
}  // namespace unbraid::grpc_util
