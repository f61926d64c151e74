#include "tests/unit/splitter/fixtures.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "services/common/audio/encoder.h"
#include "services/common/store/files.h"
#include "services/splitter/track_check.h"

namespace unbraid::splitter {
namespace {

constexpr char kPackage[] = R"json({
  "format": 1, "name": "$0", "version": "1.0.0", "title": "For tests",
  "graph": {"file": "model.pt",
            "sha256": "0000000000000000000000000000000000000000000000000000000000000000"},
  "sample_rate": 44100, "channels": 2, "window": 1000, "overlap": 100,
  "stems": ["a", "b", "c"], "normalisation": "$1",
  "licence": {"code": "Apache-2.0", "weights": "none"}, "source": "a test"})json";

}  // namespace

float TestSample(int64_t frame, int channel) {
  const int64_t step = (frame * 37 + channel * 1009) % 20'001 - 10'000;
  return static_cast<float>(step) / 32'768.0F;
}

std::string WriteSong(const std::string& path, int64_t frames, int rate_hz, int channels,
                      audio::SampleFormat format) {
  std::vector<float> samples;
  for (int64_t i = 0; i < frames; ++i) {
    for (int c = 0; c < channels; ++c) samples.push_back(TestSample(i, c));
  }
  auto encoder = audio::Encoder::Create(path, {audio::OutputContainer::kWav, format}, rate_hz,
                                        channels, frames);
  REQUIRE(encoder.ok());
  REQUIRE((*encoder)->Write(samples.data(), frames, 1.0F).ok());
  REQUIRE((*encoder)->Finish().ok());
  auto bytes = store::ReadSmallFile(path);
  REQUIRE(bytes.ok());
  return *bytes;
}

void WritePackage(const std::string& models, const std::string& name,
                  const std::string& normalisation) {
  const std::string folder = absl::StrCat(models, "/", name);
  REQUIRE(store::MakeFolders(folder).ok());
  REQUIRE(store::WriteFileDurably(absl::StrCat(folder, "/model.json"),
                                  absl::Substitute(kPackage, name, normalisation))
              .ok());
}

model::Catalogue LoadCatalogue(const std::string& models) {
  auto catalogue = model::Catalogue::Load(models);
  INFO(catalogue.status());
  REQUIRE(catalogue.ok());
  return *catalogue;
}

v1::Track SomeTrack(int64_t frames, int rate_hz, int channels) {
  v1::Track track;
  track.set_name("tracks/17");
  track.set_sha256(std::string(64, 'a'));
  track.set_sample_format(v1::SAMPLE_FORMAT_S16);
  track.set_sample_rate_hz(rate_hz);
  track.set_source_channels(channels);
  track.set_channels(channels);
  track.set_frames(frames);
  *track.mutable_duration() = ToDuration(frames, rate_hz);
  return track;
}

void FakeSink::Publish(OutgoingChunk chunk, std::function<void(absl::Status)> done) {
  absl::Status answer;
  {
    absl::MutexLock lock(&mutex_);
    if (!answers_.empty()) {
      answer = answers_.front();
      answers_.erase(answers_.begin());
    }
    internal::v1::ChunkTask task;
    const bool read = task.ParseFromString(chunk.body);
    // The queue must be that of the task's own package.
    if (!read || chunk.package != base::PackageId{task.model(), task.model_sha256()}) {
      task.set_model("unreadable");
    }
    ids_.push_back(chunk.message_id);
    tasks_.push_back(std::move(task));
    if (holding_) return held_.push_back(std::move(done));
  }
  done(answer);
}

void FakeSink::HoldAnswers() {
  absl::MutexLock lock(&mutex_);
  holding_ = true;
}

void FakeSink::Answer() {
  std::vector<std::function<void(absl::Status)>> held;
  {
    absl::MutexLock lock(&mutex_);
    held.swap(held_);
  }
  for (const auto& done : held) done(absl::OkStatus());
}

void FakeSink::PublishCancel(const internal::v1::CancelNotice& notice) {
  absl::MutexLock lock(&mutex_);
  cancels_.push_back(notice);
}

BrokerState FakeSink::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

void FakeSink::SetState(const BrokerState& state) {
  absl::MutexLock lock(&mutex_);
  state_ = state;
}

void FakeSink::AnswerNext(std::vector<absl::Status> answers) {
  absl::MutexLock lock(&mutex_);
  answers_ = std::move(answers);
}

std::vector<internal::v1::ChunkTask> FakeSink::tasks() const {
  absl::MutexLock lock(&mutex_);
  return tasks_;
}

std::vector<std::string> FakeSink::message_ids() const {
  absl::MutexLock lock(&mutex_);
  return ids_;
}

std::vector<internal::v1::CancelNotice> FakeSink::cancels() const {
  absl::MutexLock lock(&mutex_);
  return cancels_;
}

std::map<int64_t, int> FakeSink::Sent(int64_t separation_id) const {
  std::map<int64_t, int> sent;
  for (const auto& task : tasks()) {
    if (task.separation_id() == separation_id) ++sent[task.chunk_index()];
  }
  return sent;
}

bool FakeSink::AwaitTasks(size_t count) const {
  absl::MutexLock lock(&mutex_);
  auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return tasks_.size() >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
}

bool FakeSink::AwaitCancels(size_t count) const {
  absl::MutexLock lock(&mutex_);
  auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return cancels_.size() >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
}

absl::StatusOr<QueueCounts> FakeDepths::Chunks(const base::PackageId&) {
  if (const auto look = std::exchange(on_look, nullptr)) look();
  absl::MutexLock lock(&mutex_);
  ++looks_;
  return chunks_;
}

absl::StatusOr<QueueCounts> FakeDepths::Results(const std::string&) {
  absl::MutexLock lock(&mutex_);
  return results_;
}

void FakeDepths::SetChunks(absl::StatusOr<QueueCounts> counts) {
  absl::MutexLock lock(&mutex_);
  chunks_ = std::move(counts);
}

void FakeDepths::SetResults(absl::StatusOr<QueueCounts> counts) {
  absl::MutexLock lock(&mutex_);
  results_ = std::move(counts);
}

int FakeDepths::looks() const {
  absl::MutexLock lock(&mutex_);
  return looks_;
}

}  // namespace unbraid::splitter
