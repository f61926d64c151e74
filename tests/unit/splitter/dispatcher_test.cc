#include "services/splitter/dispatcher.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>

#include "services/common/base/crc32c.h"
#include "services/common/samples/beside.h"
#include "services/common/store/files.h"
#include "services/common/telemetry/log.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

class DispatcherTest {
 protected:
  explicit DispatcherTest(bool objects = false) {
    if (objects) objects_ = *store::ObjectFolder::Open(folder_.path() + "/objects");
    dispatcher_.emplace(
        &sink_, &window_, &metrics_,
        [this](base::SeparationId, int32_t, const absl::Status& why) { failure_ = why; },
        objects_ ? &*objects_ : nullptr);
    dispatcher_->SetAssembler("assembler-1");
  }

  // A job of `chunks` chunks of the test package, with a spool of zeros.
  Job AddJob(int64_t id, int64_t chunks, const std::vector<bool>& done = {}) {
    Job job;
    job.id = base::SeparationId(id);
    job.attempt = 1;
    job.prepared.model_frames = chunks * 900;
    job.open.set_window_frames(1000);
    job.open.set_overlap_frames(100);
    job.open.set_model_rate_hz(44'100);
    job.open.mutable_separation()->set_model("tiny");
    *job.open.mutable_track() = SomeTrack(job.prepared.model_frames, 44'100, 1);
    REQUIRE(store::WriteFileDurably(PathOf(id), std::string(static_cast<size_t>(chunks) * 3600, 0))
                .ok());
    dispatcher_->Add(job, PathOf(id), chunks, done);
    return job;
  }

  std::string PathOf(int64_t id) { return folder_.path() + "/" + std::to_string(id); }

  int StepAll() {
    int steps = 0;
    while (dispatcher_->Step()) ++steps;
    return steps;
  }

  test_support::TempDir folder_;
  FakeSink sink_;
  FakeDepths depths_;
  absl::Time now_ = absl::UnixEpoch();
  SendWindow window_{&depths_, absl::Milliseconds(200), [this] { return now_; }};
  telemetry::Metrics metrics_;
  std::optional<absl::Status> failure_;
  std::optional<store::ObjectFolder> objects_;
  std::optional<Dispatcher> dispatcher_;
};

TEST_CASE_METHOD(DispatcherTest, "sends no more than the window holds") {
  AddJob(1, 20);
  CHECK(StepAll() == 8);
  now_ += absl::Seconds(1);  // the workers have taken all
  CHECK(StepAll() == 8);
  CHECK_FALSE(dispatcher_->QuietOf(base::SeparationId(1)).all_sent);
  now_ += absl::Seconds(1);
  CHECK(StepAll() == 4);
  CHECK(dispatcher_->QuietOf(base::SeparationId(1)).all_sent);
}

TEST_CASE_METHOD(DispatcherTest,
                 "a chunk that cannot be cut for want of open files waits its turn") {
  // What a sanitizer sees for the first time it needs files to check.
  telemetry::Info("the log is open");
  AddJob(1, 1);
  REQUIRE(dispatcher_->Step());
  AddJob(2, 1);
  rlimit usual = {};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &usual) == 0);
  const rlimit none = {0, usual.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const bool sent = dispatcher_->Step();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
  CHECK_FALSE(sent);
  CHECK_FALSE(failure_);
  CHECK(StepAll() == 1);
  CHECK(dispatcher_->QuietOf(base::SeparationId(2)).all_sent);
}

TEST_CASE_METHOD(DispatcherTest, "tells what the broker has") {
  AddJob(1, 4, {true, false, false, false});
  sink_.AnswerNext({absl::OkStatus(), absl::CancelledError("the process ends")});
  REQUIRE(dispatcher_->Step());
  REQUIRE(dispatcher_->Step());
  REQUIRE(dispatcher_->given_out().size() == 1);
  CHECK(dispatcher_->given_out().front().chunks == std::vector<bool>{true, true, false, false});
  dispatcher_->Retry(base::SeparationId(1), 1, 1, 2);
  CHECK(dispatcher_->given_out().front().chunks == std::vector<bool>{true, false, false, false});
}

TEST_CASE_METHOD(DispatcherTest, "Case 27: two separations share the window") {
  AddJob(1, 100);
  AddJob(2, 100);
  StepAll();
  CHECK(sink_.Sent(1).size() == 4);
  CHECK(sink_.Sent(2).size() == 4);
}

TEST_CASE_METHOD(DispatcherTest, "Case 24: a removed separation is sent no more") {
  AddJob(1, 100);
  CHECK(dispatcher_->Step());
  dispatcher_->Remove(base::SeparationId(1));
  CHECK(StepAll() == 0);
}

TEST_CASE_METHOD(DispatcherTest, "nothing is sent to a broker that is away or blocked") {
  AddJob(1, 3);
  sink_.SetState({false, false, ""});
  CHECK(StepAll() == 0);
  sink_.SetState({true, true, "alarm"});
  CHECK(StepAll() == 0);
  sink_.SetState({true, false, ""});
  CHECK(StepAll() == 3);
}

TEST_CASE_METHOD(DispatcherTest, "a chunk that no queue wanted takes its turn again") {
  AddJob(1, 2);
  sink_.AnswerNext({absl::UnavailableError("no queue")});
  CHECK(StepAll() == 3);
  CHECK(sink_.Sent(1) == std::map<int64_t, int>{{0, 2}, {1, 1}});
  CHECK_FALSE(failure_);
}

// Where splitter, workers and assembler share a folder.
class ObjectsTest : public DispatcherTest {
 protected:
  ObjectsTest() : DispatcherTest(true) {}

  size_t Objects() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(objects_->path())) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }
};

TEST_CASE_METHOD(ObjectsTest, "samples are laid aside, and their message names them") {
  AddJob(1, 1);
  CHECK(StepAll() == 1);
  internal::v1::ChunkTask task = sink_.tasks().front();
  CHECK(task.samples().empty());
  CHECK(task.samples_object().uri().rfind("folder:assembler-1/1.1/", 0) == 0);
  CHECK(task.samples_object().size_bytes() == 4000);
  REQUIRE(samples::Fetch(&*objects_, &task).ok());
  CHECK(task.samples_crc32c() == base::Crc32c(task.samples()));
}

TEST_CASE_METHOD(ObjectsTest, "samples that no queue wanted the message of are not left behind") {
  AddJob(1, 2);
  sink_.AnswerNext({absl::UnavailableError("no queue"), absl::CancelledError("who knows")});
  CHECK(StepAll() == 3);
  CHECK(Objects() == 2);
}

TEST_CASE_METHOD(ObjectsTest, "samples of a chunk that is tried again travel in their message") {
  const Job job = AddJob(1, 1);
  CHECK(StepAll() == 1);
  dispatcher_->Retry(job.id, job.attempt, 0, 2);
  CHECK(StepAll() == 1);
  CHECK_FALSE(sink_.tasks().back().has_samples_object());
  CHECK(sink_.tasks().back().samples().size() == 4000);
  CHECK(Objects() == 1);
}

TEST_CASE_METHOD(ObjectsTest, "samples that find no room beside travel in their message") {
  AddJob(1, 1);
  REQUIRE(store::RemoveAll(objects_->path()).ok());
  CHECK(StepAll() == 1);
  CHECK_FALSE(sink_.tasks().front().has_samples_object());
  CHECK(sink_.tasks().front().samples().size() == 4000);
}

TEST_CASE_METHOD(DispatcherTest, "a growing spool is given out as far as it is, through its end") {
  Job job = AddJob(1, 5);
  const std::string part = PathOf(1) + ".part";
  std::filesystem::rename(PathOf(1), part);
  dispatcher_->AddGrowing(job, PathOf(1), part, 5, {});
  CHECK(StepAll() == 0);
  CHECK_FALSE(dispatcher_->QuietOf(job.id).all_sent);
  dispatcher_->SetReady(job.id, 2, 5);  // of another attempt
  CHECK(StepAll() == 0);
  dispatcher_->SetReady(job.id, 1, 2);
  CHECK(StepAll() == 2);
  dispatcher_->SetReady(job.id, 1, 3);
  std::filesystem::rename(part, PathOf(1));
  CHECK(StepAll() == 1);
  dispatcher_->SetReady(job.id, 1, 5);
  CHECK(StepAll() == 2);
  CHECK(sink_.Sent(1).size() == 5);
  CHECK(dispatcher_->QuietOf(job.id).all_sent);
  CHECK_FALSE(failure_);
}

TEST_CASE_METHOD(DispatcherTest,
                 "what a job sent before it was added again does not count for it") {
  sink_.HoldAnswers();
  Job job = AddJob(1, 2);
  CHECK(dispatcher_->Step());
  dispatcher_->Remove(job.id);
  dispatcher_->Add(job, PathOf(1), 2, {});
  CHECK(StepAll() == 2);
  CHECK_FALSE(dispatcher_->QuietOf(job.id).all_sent);
  sink_.Answer();
  CHECK(dispatcher_->QuietOf(job.id).all_sent);
}

TEST_CASE_METHOD(DispatcherTest, "a chunk that is too large fails its separation") {
  AddJob(1, 1);
  sink_.AnswerNext({absl::ResourceExhaustedError("too large")});
  StepAll();
  REQUIRE(failure_);
  CHECK(failure_->message() == "too large");
}

TEST_CASE_METHOD(DispatcherTest, "a lost spool fails its separation") {
  AddJob(1, 1);
  REQUIRE(store::RemoveAll(PathOf(1)).ok());
  StepAll();
  REQUIRE(failure_);
  CHECK(absl::IsNotFound(*failure_));
}

TEST_CASE_METHOD(DispatcherTest, "a retry is sent with its try, one of another attempt is not") {
  AddJob(1, 1, {true});
  dispatcher_->Retry(base::SeparationId(1), 7, 0, 2);
  CHECK(StepAll() == 0);
  dispatcher_->Retry(base::SeparationId(1), 1, 0, 2);
  CHECK(StepAll() == 1);
  CHECK(sink_.message_ids() == std::vector<std::string>{"1.1.0.2"});
}

TEST_CASE_METHOD(DispatcherTest, "nothing is sent before the assembler's name is known") {
  dispatcher_->SetAssembler("");
  AddJob(1, 1);
  CHECK(StepAll() == 0);
  dispatcher_->SetAssembler("assembler-2");
  CHECK(StepAll() == 1);
  CHECK(sink_.tasks().front().assembler() == "assembler-2");
}

TEST_CASE_METHOD(DispatcherTest, "the thread sends by itself, and stops twice") {
  dispatcher_->Start();
  AddJob(1, 5);
  CHECK(sink_.AwaitTasks(5));
  dispatcher_->Stop();
  dispatcher_->Stop();
}

}  // namespace
}  // namespace unbraid::splitter
