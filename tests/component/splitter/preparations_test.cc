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
constexpr int kJobs = kMost + 4;
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

}  // namespace

TEST_CASE_METHOD(Harness, "of many tracks a few are prepared at a time, and all in the end") {
  std::vector<v1::Track> tracks;
  for (int i = 0; i < kJobs; ++i) tracks.push_back(UploadSong(kFrames + i));
  Readers readers;
  StopSplitter();
  open_audio_ = [&readers](const std::string& path, const audio::DecodeOptions& options)
      -> absl::StatusOr<std::unique_ptr<audio::AudioReader>> {
    auto reader = audio::OpenInProcess(path, options);
    if (!reader.ok()) return reader.status();
    return std::make_unique<SlowReader>(*std::move(reader), &readers);
  };
  StartSplitter();
  std::vector<int64_t> ids;
  for (const v1::Track& track : tracks) ids.push_back(StartJob(track));
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (readers.most < kMost && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(10));
  readers.go.Notify();
  for (const int64_t id : ids) CHECK(assembler_.Await(id, Separating));
  CHECK(readers.most == kMost);
  StopSplitter();
  CHECK(readers.open == 0);
}

}  // namespace unbraid::splitter
