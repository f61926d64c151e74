#include <catch2/catch.hpp>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "tests/component/splitter/harness.h"

namespace unbraid::splitter {
namespace {

TEST_CASE_METHOD(Harness, "Case 22: after a restart only the missing chunks are sent") {
  const int64_t id = StartJob(UploadSong(kFrames));
  REQUIRE(sink_.AwaitTasks(kChunks));
  StopSplitter();
  assembler_.SetDone(id, {0, 1, 3});
  StartSplitter();
  REQUIRE(sink_.AwaitTasks(kChunks + 2));
  CHECK(sink_.Sent(id) == std::map<int64_t, int>{{0, 1}, {1, 1}, {2, 2}, {3, 1}, {4, 2}});
}

TEST_CASE_METHOD(Harness, "what the snapshot tells of a separation that is being opened counts") {
  const v1::Track track = UploadSong(kFrames);
  const int64_t id = StartJob(track);
  REQUIRE(sink_.AwaitTasks(kChunks));
  StopSplitter();
  assembler_.SetDone(id, {0, 1, 3});
  absl::Notification opening;
  assembler_.on_watch = [&] { opening.WaitForNotificationWithTimeout(absl::Seconds(20)); };
  assembler_.on_open = [&] {
    opening.Notify();
    CHECK(assembler_.AwaitSnapshots(2));
    absl::SleepFor(absl::Milliseconds(300));  // until the splitter has taken it in, for certain
  };
  StartSplitter();
  CHECK(StartJob(track) == id);
  REQUIRE(sink_.AwaitTasks(kChunks + 2));
  CHECK(sink_.Sent(id) == std::map<int64_t, int>{{0, 1}, {1, 1}, {2, 2}, {3, 1}, {4, 2}});
}

TEST_CASE_METHOD(Harness, "a splitter that ends waits for no assembler that does not answer") {
  const v1::Track track = UploadSong(kFrames);
  absl::Notification opening;
  absl::Notification over;
  assembler_.on_open = [&] {
    if (!opening.HasBeenNotified()) opening.Notify();
    over.WaitForNotificationWithTimeout(absl::Seconds(30));
  };
  v1::Separation wanted;
  wanted.set_track(track.name());
  absl::Status status;
  std::thread client([&] { status = Start(wanted).status(); });
  REQUIRE(opening.WaitForNotificationWithTimeout(absl::Seconds(20)));
  const absl::Time begin = absl::Now();
  StopSplitter();
  const absl::Duration took = absl::Now() - begin;
  client.join();
  over.Notify();
  assembler_.StopServing();         // nobody waits for `over` any more
  CHECK(took < absl::Seconds(10));  // a call has 20 s
  CHECK_FALSE(status.ok());
}

TEST_CASE_METHOD(Harness, "two splitters do not share a folder") {
  telemetry::Metrics metrics;
  const auto other = Splitter::Create(config_, LoadCatalogue(config_.models), {open_audio_, {}},
                                      &sink_, &depths_, &metrics, free_bytes_);
  CHECK(absl::IsFailedPrecondition(other.status()));
  CHECK_THAT(std::string(other.status().message()), Catch::Contains(config_.data));
}

TEST_CASE_METHOD(Harness, "after a restart a half-written spool is made anew") {
  depths_.SetChunks(QueueCounts{8, 1});
  const int64_t id = StartJob(UploadSong(kFrames));
  REQUIRE(assembler_.Await(id, Separating));
  StopSplitter();
  REQUIRE(store::WriteFileDurably(SpoolPath(id), "short").ok());
  depths_.SetChunks(QueueCounts{0, 1});
  StartSplitter();
  REQUIRE(sink_.AwaitTasks(kChunks));
  CHECK(sink_.Sent(id) == Once({0, 1, 2, 3, 4}));
}

TEST_CASE_METHOD(Harness, "what ended while the splitter was away is dropped with its spool") {
  depths_.SetChunks(QueueCounts{8, 1});
  const int64_t id = StartJob(UploadSong(kFrames));
  REQUIRE(assembler_.Await(id, Separating));
  StopSplitter();
  assembler_.EndSilently(id, v1::Separation::STATE_CANCELLED);
  depths_.SetChunks(QueueCounts{0, 1});
  StartSplitter();
  REQUIRE(sink_.AwaitCancels(1));
  CHECK_FALSE(store::FileSize(SpoolPath(id)).ok());
  CHECK(sink_.Sent(id).empty());
}

TEST_CASE_METHOD(Harness, "a separation that was recorded but not opened is opened later") {
  const v1::Track track = UploadSong(kFrames);
  assembler_.StopServing();
  v1::Separation wanted;
  wanted.set_track(track.name());
  const absl::Status status = Start(wanted).status();
  CHECK(absl::IsUnavailable(status));
  CHECK(base::ReasonOf(status) == "BACKEND_UNAVAILABLE");
  StopSplitter();
  assembler_.Serve(assembler_.port());
  StartSplitter();
  REQUIRE(sink_.AwaitTasks(kChunks));
  CHECK(assembler_.opens() == 1);
}

TEST_CASE_METHOD(Harness,
                 "what was cancelled before its opening was recorded does not start anew") {
  const v1::Track track = UploadSong(kFrames);
  v1::Separation wanted;
  wanted.set_track(track.name());
  assembler_.LoseNextAnswer();
  CHECK(absl::IsUnavailable(Start(wanted).status()));
  const int64_t id = assembler_.OnlyId();
  assembler_.EndSilently(id, v1::Separation::STATE_CANCELLED);
  StopSplitter();
  StartSplitter();
  REQUIRE(assembler_.AwaitOpens(2));
  CHECK(assembler_.Get(id).state == v1::Separation::STATE_CANCELLED);
  // Begun again by its owner it does.
  REQUIRE(Start(wanted).ok());
  REQUIRE(sink_.AwaitTasks(kChunks));
  CHECK(assembler_.Get(id).attempt == 2);
  CHECK(sink_.Sent(id) == Once({0, 1, 2, 3, 4}));
}

TEST_CASE_METHOD(Harness,
                 "what ended a moment ago is begun anew though the splitter has not heard") {
  depths_.SetChunks(QueueCounts{8, 1});
  const v1::Track track = UploadSong(kFrames);
  const int64_t id = StartJob(track);
  REQUIRE(assembler_.Await(id, Separating));
  assembler_.EndSilently(id, v1::Separation::STATE_CANCELLED);
  CHECK(StartJob(track) == id);
  CHECK(assembler_.Get(id).attempt == 2);
  depths_.SetChunks(QueueCounts{0, 1});
  REQUIRE(sink_.AwaitTasks(kChunks));
  for (const auto& task : sink_.tasks()) CHECK(task.attempt() == 2);
}

TEST_CASE_METHOD(Harness, "an assembler that restarts is found again, and nothing is sent twice") {
  const int64_t id = StartJob(UploadSong(kFrames));
  REQUIRE(sink_.AwaitTasks(kChunks));
  assembler_.StopServing();
  assembler_.Serve(assembler_.port());
  REQUIRE(assembler_.AwaitSnapshots(2));
  assembler_.Retry(id, 2, 2);
  REQUIRE(sink_.AwaitTasks(kChunks + 1));
  CHECK(sink_.Sent(id) == std::map<int64_t, int>{{0, 1}, {1, 1}, {2, 2}, {3, 1}, {4, 1}});
  CHECK(sink_.tasks().back().try_() == 2);
}

TEST_CASE_METHOD(Harness, "a retry that was asked for while the splitter was away keeps its try") {
  const int64_t id = StartJob(UploadSong(kFrames));
  REQUIRE(sink_.AwaitTasks(kChunks));
  StopSplitter();
  assembler_.SetDone(id, {0, 1, 2, 3});
  assembler_.Retry(id, 4, 2);
  StartSplitter();
  // The assembler names the chunk first, then the try: one that was sent in between as the first
  // try is followed by the second.
  size_t sent = kChunks;
  do {
    REQUIRE(sink_.AwaitTasks(++sent));
  } while (sink_.tasks()[sent - 1].try_() == 1);
  CHECK(sink_.tasks()[sent - 1].chunk_index() == 4);
  CHECK(sink_.tasks()[sent - 1].try_() == 2);
  CHECK(sent <= kChunks + 2);
}

TEST_CASE_METHOD(Harness, "a separation whose record was lost is ended, not left hanging") {
  StopSplitter();
  assembler_.AddStranger(4711);
  StartSplitter();
  REQUIRE(assembler_.Await(4711, [](const FakeAssembler::Record& r) {
    return r.state == v1::Separation::STATE_FAILED;
  }));
  CHECK(assembler_.Get(4711).failure.reason() == "JOB_LOST");
}

}  // namespace
}  // namespace unbraid::splitter
