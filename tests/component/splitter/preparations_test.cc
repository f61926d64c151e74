#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/component/splitter/harness.h"

namespace unbraid::splitter {
namespace {

constexpr int kMost = 16;
constexpr absl::Duration kLongerThanATurn = absl::Milliseconds(220);

// Counts the readers that there are. Until `go` each block takes longer than a turn, so that all
// that may begin do begin.
struct Readers {
  absl::Notification go;
  std::atomic<int> open{0};
  std::atomic<int> most{0};
};

class SlowReader : public audio::AudioReader {
 public:
  SlowReader(std::unique_ptr<audio::AudioReader> reader, Readers* readers)
      : reader_(std::move(reader)), readers_(readers) {
    readers_->most = std::max<int>(readers_->most, ++readers_->open);
  }
  ~SlowReader() override { --readers_->open; }

  const audio::TrackFormat& format() const override { return reader_->format(); }
  const std::vector<audio::Speaker>& speakers() const override { return reader_->speakers(); }
  const audio::Tags& tags() const override { return reader_->tags(); }
  int64_t position() const override { return reader_->position(); }
  int64_t silenced_samples() const override { return reader_->silenced_samples(); }

  absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames) override {
    const bool fast = readers_->go.WaitForNotificationWithTimeout(kLongerThanATurn);
    return reader_->Read(interleaved, fast ? frames : 1);
  }

 private:
  const std::unique_ptr<audio::AudioReader> reader_;
  Readers* const readers_;
};

class PreparationsTest : public Harness {
 protected:
  // Begins so many separations of different songs, and waits until as many as may are prepared.
  std::vector<int64_t> Begin(int count) {
    std::vector<v1::Track> tracks;
    for (int i = 0; i < count; ++i) tracks.push_back(UploadSong(kFrames + i));
    StopSplitter();
    open_audio_ = [this](const std::string& path, const audio::DecodeOptions& options)
        -> absl::StatusOr<std::unique_ptr<audio::AudioReader>> {
      auto reader = audio::OpenInProcess(path, options);
      if (!reader.ok()) return reader.status();
      return std::make_unique<SlowReader>(*std::move(reader), &readers_);
    };
    StartSplitter();
    std::vector<int64_t> ids;
    for (const v1::Track& track : tracks) ids.push_back(StartJob(track));
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (readers_.most < kMost && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(10));
    return ids;
  }

  Readers readers_;
};

}  // namespace

TEST_CASE_METHOD(PreparationsTest,
                 "of many tracks a few are prepared at a time, and all in the end") {
  const std::vector<int64_t> ids = Begin(kMost + 4);
  readers_.go.Notify();
  for (const int64_t id : ids) CHECK(assembler_.Await(id, Separating));
  CHECK(readers_.most == kMost);
  StopSplitter();
  CHECK(readers_.open == 0);
}

TEST_CASE_METHOD(PreparationsTest,
                 "tracks that wait to be prepared do not wait for cancelled ones") {
  const std::vector<int64_t> ids = Begin(2 * kMost + 1);
  for (int i = kMost; i < 2 * kMost; ++i)
    assembler_.End(ids[static_cast<size_t>(i)], v1::Separation::STATE_CANCELLED);
  REQUIRE(sink_.AwaitCancels(kMost));
  readers_.go.Notify();
  CHECK(assembler_.Await(ids.back(), Separating));
  StopSplitter();
}

}  // namespace unbraid::splitter
