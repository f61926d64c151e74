#ifndef UNBRAID_TESTS_UNIT_SPLITTER_FIXTURES_H_
#define UNBRAID_TESTS_UNIT_SPLITTER_FIXTURES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/audio/format.h"
#include "services/common/model/catalogue.h"
#include "services/splitter/broker.h"
#include "services/splitter/job.h"

namespace unbraid::splitter {

// No wait in a test takes longer than this, unless something is broken.
inline constexpr absl::Duration kPatience = absl::Seconds(20);

// A sample that tells frames and channels apart; multiples of 2^-15, so that 16 bits hold it.
float TestSample(int64_t frame, int channel);

// Writes a file of TestSamples and returns its bytes.
std::string WriteSong(const std::string& path, int64_t frames, int rate_hz = 44'100,
                      int channels = 2, audio::SampleFormat format = audio::SampleFormat::kS16);

// Writes a package `name` with stems a, b, c, a window of 1000 frames and an overlap of 100 at
// 44.1 kHz into `models`.
void WritePackage(const std::string& models, const std::string& name = "tiny",
                  const std::string& normalisation = "none");
model::Catalogue LoadCatalogue(const std::string& models);

// The track that WriteSong's file is, without the file.
v1::Track SomeTrack(int64_t frames = 10'000, int rate_hz = 44'100, int channels = 2);

// A sink that keeps everything, and confirms at once unless told otherwise.
class FakeSink : public ChunkSink {
 public:
  void Publish(OutgoingChunk chunk, std::function<void(absl::Status)> done) override;
  void PublishCancel(const internal::v1::CancelNotice& notice) override;
  BrokerState state() const override;

  void SetState(const BrokerState& state);
  // The answers to the next chunks; OK once there are none left.
  void AnswerNext(std::vector<absl::Status> answers);
  // From now on nothing is answered before Answer, which answers all that waits with OK.
  void HoldAnswers();
  void Answer();

  std::vector<internal::v1::ChunkTask> tasks() const;
  std::vector<std::string> message_ids() const;
  std::vector<internal::v1::CancelNotice> cancels() const;
  // How often each chunk of a separation was sent.
  std::map<int64_t, int> Sent(int64_t separation_id) const;

  // False when the time is up first.
  bool AwaitTasks(size_t count) const;
  bool AwaitCancels(size_t count) const;

 private:
  mutable absl::Mutex mutex_;
  BrokerState state_ ABSL_GUARDED_BY(mutex_) = {true, false, ""};
  std::vector<absl::Status> answers_ ABSL_GUARDED_BY(mutex_);
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::function<void(absl::Status)>> held_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> ids_ ABSL_GUARDED_BY(mutex_);
  std::vector<internal::v1::ChunkTask> tasks_ ABSL_GUARDED_BY(mutex_);
  std::vector<internal::v1::CancelNotice> cancels_ ABSL_GUARDED_BY(mutex_);
};

// Queues whose depth the test sets. By default they are empty, with one worker.
class FakeDepths : public QueueDepths {
 public:
  absl::StatusOr<QueueCounts> Chunks(const base::PackageId& package) override;
  absl::StatusOr<QueueCounts> Results(const std::string& assembler) override;

  void SetChunks(absl::StatusOr<QueueCounts> counts);
  void SetResults(absl::StatusOr<QueueCounts> counts);
  int looks() const;

  // What happens once while a queue of chunks is looked at.
  std::function<void()> on_look;

 private:
  mutable absl::Mutex mutex_;
  absl::StatusOr<QueueCounts> chunks_ ABSL_GUARDED_BY(mutex_) = QueueCounts{0, 1};
  absl::StatusOr<QueueCounts> results_ ABSL_GUARDED_BY(mutex_) = QueueCounts{0, 1};
  int looks_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_TESTS_UNIT_SPLITTER_FIXTURES_H_
