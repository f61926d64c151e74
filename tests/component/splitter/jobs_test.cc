#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <set>

#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "tests/component/splitter/harness.h"

namespace unbraid::splitter {
namespace {

using Record = FakeAssembler::Record;

TEST_CASE_METHOD(Harness, "a separation is opened, planned, and given out") {
  const v1::Track track = UploadSong(kFrames);
  v1::Separation wanted;
  wanted.set_track(track.name());
  wanted.add_stems("b");
  const auto separation = Start(wanted);
  REQUIRE(separation.ok());
  CHECK(separation->state() == v1::Separation::STATE_PREPARING);
  CHECK(separation->model() == "tiny");
  const int64_t id = IdOf(*separation);
  REQUIRE(assembler_.Await(id, Separating));
  const Record record = assembler_.Get(id);
  CHECK(record.owner == "default");
  CHECK(record.model_frames == kFrames);
  CHECK(record.chunks == kChunks);
  CHECK(record.open.splitter() == "splitter-1");
  CHECK(record.open.window_frames() == 1000);
  CHECK(record.open.computed_stems_size() == 1);
  REQUIRE(sink_.AwaitTasks(kChunks));
  const auto task = sink_.tasks().front();
  CHECK(task.assembler() == "assembler-1");
  CHECK(task.attempt() == 1);
  CHECK(task.stem_indexes(0) == 1);
  CHECK(sink_.Sent(id) == Once({0, 1, 2, 3, 4}));
}

TEST_CASE_METHOD(Harness, "to start is idempotent, and a finished separation is not worked on") {
  const v1::Track track = UploadSong(kFrames);
  const int64_t id = StartJob(track);
  CHECK(StartJob(track) == id);
  REQUIRE(sink_.AwaitTasks(kChunks));
  CHECK(assembler_.Get(id).attempt == 1);
  assembler_.End(id, v1::Separation::STATE_SUCCEEDED);
  REQUIRE(sink_.AwaitCancels(1));
  v1::Separation wanted;
  wanted.set_track(track.name());
  CHECK(Start(wanted)->state() == v1::Separation::STATE_SUCCEEDED);
  CHECK(sink_.Sent(id) == Once({0, 1, 2, 3, 4}));
}

TEST_CASE_METHOD(Harness, "a cancelled separation starts anew with the next attempt") {
  const v1::Track track = UploadSong(kFrames);
  const int64_t id = StartJob(track);
  REQUIRE(sink_.AwaitTasks(kChunks));
  assembler_.End(id, v1::Separation::STATE_CANCELLED);
  REQUIRE(sink_.AwaitCancels(1));
  CHECK(StartJob(track) == id);
  REQUIRE(sink_.AwaitTasks(2 * kChunks));
  CHECK(sink_.tasks().back().attempt() == 2);
}

TEST_CASE_METHOD(Harness, "requests that cannot be done are refused with their reasons") {
  v1::Separation wanted;
  wanted.set_track("tracks/1");
  CHECK(base::ReasonOf(Start(wanted).status()) == "UNKNOWN_TRACK");
  CHECK(absl::IsNotFound(Start(wanted).status()));
  wanted.set_track("nonsense");
  CHECK(base::ReasonOf(Start(wanted).status()) == "INVALID_NAME");
  wanted.set_track(UploadSong(kFrames).name());
  wanted.set_model("unheard-of");
  CHECK(base::ReasonOf(Start(wanted).status()) == "UNKNOWN_MODEL");
  wanted.clear_model();
  wanted.add_stems("piano");
  CHECK(base::ReasonOf(Start(wanted).status()) == "UNKNOWN_STEM");
  CHECK(assembler_.opens() == 0);
}

TEST_CASE_METHOD(Harness, "Case 24: cancel stops the dispatch, frees the disk and tells workers") {
  depths_.SetChunks(QueueCounts{8, 1});  // the queue is full: nothing can be sent
  const int64_t id = StartJob(UploadSong(100'000));
  REQUIRE(assembler_.Await(id, Separating));
  CHECK(store::FileSize(SpoolPath(id)).ok());
  assembler_.End(id, v1::Separation::STATE_CANCELLED);
  REQUIRE(sink_.AwaitCancels(1));
  CHECK(sink_.cancels().front().separation_id() == id);
  CHECK(sink_.cancels().front().attempt() == 1);
  CHECK_FALSE(store::FileSize(SpoolPath(id)).ok());
  depths_.SetChunks(QueueCounts{0, 1});
  // Another separation gets the room, all of it.
  const int64_t other = StartJob(UploadSong(kFrames));
  REQUIRE(sink_.AwaitTasks(kChunks));
  CHECK(sink_.Sent(id).empty());
  CHECK(sink_.Sent(other).size() == kChunks);
}

TEST_CASE_METHOD(Harness, "Case 23: a separation without a worker says so, and takes it back") {
  depths_.SetChunks(QueueCounts{0, 0});
  const int64_t id = StartJob(UploadSong(kFrames));
  REQUIRE(assembler_.Await(id, [](const Record& r) { return !r.waiting_for.empty(); }));
  CHECK(assembler_.Get(id).waiting_for.front() ==
        "no worker for model tiny is connected that has package " + Tiny().short_hash());
  depths_.SetChunks(QueueCounts{0, 1});
  REQUIRE(assembler_.Await(id, [](const Record& r) { return r.waiting_for.back().empty(); }));
}

TEST_CASE_METHOD(Harness, "Case 28: a blocked broker is named, and nothing is sent to it") {
  sink_.SetState({true, true, "low on memory"});
  const int64_t id = StartJob(UploadSong(kFrames));
  REQUIRE(assembler_.Await(id, [](const Record& r) { return !r.waiting_for.empty(); }));
  CHECK(assembler_.Get(id).waiting_for.front() ==
        "the message broker takes no messages: low on memory");
  CHECK(sink_.tasks().empty());
  sink_.SetState({true, false, ""});
  CHECK(sink_.AwaitTasks(kChunks));
}

TEST_CASE_METHOD(Harness, "chunks that a broker lost are sent again") {
  StopSplitter();
  config_.stall_after = absl::Milliseconds(300);
  StartSplitter();
  const int64_t id = StartJob(UploadSong(kFrames));
  REQUIRE(sink_.AwaitTasks(kChunks));
  assembler_.SetDone(id, {0, 1, 2});  // the others never come
  REQUIRE(sink_.AwaitTasks(kChunks + 2));
  const auto sent = sink_.Sent(id);
  CHECK(sent.at(0) == 1);
  CHECK(sent.at(3) >= 2);
  CHECK(sent.at(4) >= 2);
}

TEST_CASE_METHOD(Harness, "a prepared separation goes on with the package it was created with") {
  depths_.SetChunks(QueueCounts{8, 1});
  const v1::Track track = UploadSong(kFrames);
  const int64_t id = StartJob(track);
  REQUIRE(assembler_.Await(id, Separating));
  StopSplitter();
  const base::PackageId old = Tiny();
  WritePackage(config_.models, "tiny", "track");
  REQUIRE(Tiny() != old);
  depths_.SetChunks(QueueCounts{0, 0});
  StartSplitter();
  REQUIRE(sink_.AwaitTasks(kChunks));
  REQUIRE(assembler_.Await(id, [](const Record& r) { return !r.waiting_for.empty(); }));
  CHECK_THAT(assembler_.Get(id).waiting_for.back(),
             Catch::Contains("connected that has package " + old.short_hash() +
                             "; the model was replaced by package " + Tiny().short_hash()));
  const int64_t anew = StartJob(track);
  CHECK(anew != id);
  REQUIRE(sink_.AwaitTasks(2 * kChunks));
  for (const auto& task : sink_.tasks()) {
    CHECK(task.model() == "tiny");
    CHECK(task.model_sha256() == (task.separation_id() == id ? old : Tiny()).sha256);
  }
}

TEST_CASE_METHOD(Harness, "an unprepared separation whose package was replaced ends") {
  depths_.SetChunks(QueueCounts{8, 1});
  const int64_t id = StartJob(UploadSong(kFrames));
  REQUIRE(assembler_.Await(id, Separating));
  StopSplitter();
  REQUIRE(store::RemoveAll(SpoolPath(id)).ok());  // so that it must be prepared again
  WritePackage(config_.models, "tiny", "track");
  StartSplitter();
  REQUIRE(assembler_.Await(
      id, [](const Record& r) { return r.state == v1::Separation::STATE_FAILED; }));
  CHECK(assembler_.Get(id).failure.reason() == "MODEL_GONE");
}

// Opens files, but that the first `deaths` decoders are killed.
audio::OpenAudio Mortal(std::atomic<int>* opened, int deaths) {
  return [opened, deaths](const std::string& path, const audio::DecodeOptions& options)
             -> absl::StatusOr<std::unique_ptr<audio::AudioReader>> {
    if (++*opened <= deaths) return absl::UnavailableError("The decoder was killed");
    return audio::OpenInProcess(path, options);
  };
}

TEST_CASE_METHOD(Harness, "a track whose decoder is killed each time ends its separation") {
  const v1::Track track = UploadSong(kFrames);
  StopSplitter();
  std::atomic<int> opened = 0;
  open_audio_ = Mortal(&opened, 1'000);
  StartSplitter();
  const int64_t id = StartJob(track);
  CHECK(assembler_.Await(id,
                         [](const Record& r) { return r.state == v1::Separation::STATE_FAILED; }));
  CHECK(assembler_.Get(id).failure.reason() == "DECODER_LIMIT");
  StopSplitter();
  CHECK(opened == 5);
}

TEST_CASE_METHOD(Harness, "a decoder that is killed now and then is started again") {
  const v1::Track track = UploadSong(kFrames);
  StopSplitter();
  std::atomic<int> opened = 0;
  open_audio_ = Mortal(&opened, 2);
  StartSplitter();
  CHECK(assembler_.Await(StartJob(track), Separating));
  StopSplitter();
  CHECK(opened == 3);
}

TEST_CASE_METHOD(Harness, "Case 27: a short song is given out while a long one is") {
  depths_.SetChunks(QueueCounts{0, 1});
  const int64_t big = StartJob(UploadSong(2'000'000));
  const int64_t small = StartJob(UploadSong(kFrames, 1));
  REQUIRE(assembler_.Await(small, Separating));
  while (sink_.Sent(small).size() < kChunks) {
    REQUIRE(sink_.AwaitTasks(sink_.tasks().size() + 1));
  }
  CHECK(sink_.Sent(big).size() < 2'000'000 / 900);
}

TEST_CASE_METHOD(Harness, "a long track is given out while it is prepared: each chunk once") {
  constexpr int64_t kLong = 40 * 44'100;
  constexpr int64_t kAll = 1960;
  depths_.SetChunks(QueueCounts{0, 1'000});  // as fast as it goes
  const v1::Track track = UploadSong(kLong);
  SECTION("to its end") {
    const int64_t id = StartJob(track);
    REQUIRE(sink_.AwaitTasks(kAll));
    CHECK(sink_.Sent(id).size() == kAll);
    for (const auto& [chunk, times] : sink_.Sent(id)) REQUIRE(times == 1);
    // Right in the middle, and at the end, where only the finished spool has it all.
    for (const auto& task : sink_.tasks()) {
      if (task.chunk_index() != 7 && task.chunk_index() != kAll - 1) continue;
      float first = 0;
      std::memcpy(&first, task.samples().data() + task.keep_offset() * sizeof(float),
                  sizeof(first));
      CHECK(first == TestSample(task.chunk_index() * 900, 0));
    }
  }
  SECTION("until it is cancelled") {
    const int64_t id = StartJob(track);
    REQUIRE(sink_.AwaitTasks(1));
    assembler_.End(id, v1::Separation::STATE_CANCELLED);
    REQUIRE(sink_.AwaitCancels(1));
    CHECK(assembler_.Get(id).failure.reason().empty());
  }
  SECTION("until the splitter ends, and on after its restart") {
    const int64_t id = StartJob(track);
    REQUIRE(sink_.AwaitTasks(1));
    StopSplitter();
    CHECK(assembler_.Get(id).failure.reason().empty());
    std::set<int64_t> done;
    for (const auto& [chunk, times] : sink_.Sent(id)) done.insert(chunk);
    assembler_.SetDone(id, done);
    StartSplitter();
    REQUIRE(sink_.AwaitTasks(kAll));
    CHECK(sink_.Sent(id).size() == kAll);
    for (const auto& [chunk, times] : sink_.Sent(id)) REQUIRE(times == 1);
  }
}

}  // namespace
}  // namespace unbraid::splitter
