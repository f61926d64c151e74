#ifndef UNBRAID_TESTS_UNIT_ASSEMBLER_FIXTURES_H_
#define UNBRAID_TESTS_UNIT_ASSEMBLER_FIXTURES_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/assembler/engine.h"
#include "tests/support/temp_dir.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::assembler {

inline constexpr char kOwner[] = "default";
inline constexpr absl::Duration kPatience = absl::Seconds(20);

// A separation that tests work on: four stems, windows of 64 frames that overlap by 16.
struct Song {
  int64_t id = 123;
  int64_t frames = 200;  // of the track
  int rate_hz = 44'100;
  int channels = 2;
  int64_t model_frames = 200;
  int model_rate_hz = 44'100;
  v1::SampleFormat format = v1::SAMPLE_FORMAT_F32;
  v1::OutputFormat::Container container = v1::OutputFormat::CONTAINER_WAV;
  v1::OutputFormat output;  // what else is asked of it
  std::vector<std::string> wanted = {"drums", "bass", "other", "vocals"};
  std::vector<int> computed = {0, 1, 2, 3};
  std::vector<double> gains = {1, 1, 1, 1};  // of the mix, by computed stem
  // The sample that the model yields; by default noise that differs from chunk to chunk, so that a
  // cross-fade shows.
  std::function<float(int64_t chunk, int stem, int64_t frame, int channel)> sample;
  int64_t window = 64;
  int64_t overlap = 16;
  bool residual = false;
  int shifts = 0;
  int64_t shift_seed = 0;

  audio::Passes passes() const;
  int64_t chunks() const;
  int64_t useful(int64_t chunk) const;
  internal::v1::OpenSeparationRequest Open() const;
  internal::v1::PlanSeparationRequest Plan(int attempt = 1) const;
  // What a worker sends.
  internal::v1::ChunkResult Message(int64_t chunk, int stem, int attempt = 1) const;
  // The song itself, interleaved, at its own rate; and in parts of so many frames.
  std::vector<float> Floats() const;
  std::vector<internal::v1::PutSongRequest> SongParts(int64_t part_frames, int attempt = 1) const;
  Result Samples(int64_t chunk, int stem, int attempt = 1) const;
  Result Failure(int64_t chunk, int try_number, int attempt = 1) const;
  base::SeparationId separation_id() const { return base::SeparationId(id); }
};

// One of three passes, with silences of 46, 12 and 43 frames: 5, 3 and 5 chunks, of which the first
// yields silence only.
Song ShiftedSong();

// What the engine holds of a song whose first attempt is planned.
Job PlannedJob(const Song& song);

// Stores all results of a song, as if they had come.
void WriteAllChunks(const Song& song, const ChunkFiles& files);

// Noise between -1 and 1 that depends on its seed alone.
float Noise(uint64_t seed);

// Keeps what watchers are told.
class Recorder : public WatchHub::Watcher {
 public:
  void OnNews(SeparationSnapshot news) override;
  void OnBeat() override;
  // False when it does not come.
  bool AwaitState(v1::Separation::State state) const;
  bool AwaitWaitingFor(const std::string& text) const;
  std::vector<v1::Separation> all() const;
  int beats() const;
  int closed() const;

 private:
  mutable absl::Mutex mutex_;
  std::vector<v1::Separation> all_ ABSL_GUARDED_BY(mutex_);
  int beats_ ABSL_GUARDED_BY(mutex_) = 0;
  int closed_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Keeps what a splitter is told.
class WorkRecorder : public WorkFeed::Listener {
 public:
  void OnWork(const internal::v1::WatchWorkResponse& news) override { news_.push_back(news); }
  void OnClosed() override { closed_ = true; }
  const std::vector<internal::v1::WatchWorkResponse>& news() const { return news_; }
  bool closed() const { return closed_; }

 private:
  std::vector<internal::v1::WatchWorkResponse> news_;
  bool closed_ = false;
};

// Keeps a thread of an executor busy, as another song would, until it is let go or leaves its
// scope.
class Held {
 public:
  explicit Held(base::Executor* executor) {
    executor->Post([this] {
      go_.WaitForNotification();
      left_.Notify();
    });
  }
  ~Held() {
    if (!go_.HasBeenNotified()) go_.Notify();
    left_.WaitForNotification();  // only then nobody looks at `go_` any more
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  void Go() { go_.Notify(); }

 private:
  absl::Notification go_;
  absl::Notification left_;
};

// An engine on a folder, with its executors. Calls go through On(), which runs them on the engine's
// thread and waits.
class Bench {
 public:
  // `adjust` changes what is not about folder and executors.
  explicit Bench(const std::string& folder,
                 const std::function<void(Engine::Options*)>& adjust = nullptr);
  ~Bench();

  template <typename Work>
  auto On(Work work) -> decltype(work(std::declval<Engine&>())) {
    using Value = decltype(work(std::declval<Engine&>()));
    std::unique_ptr<Value> value;
    Run([&] { value = std::make_unique<Value>(work(*engine)); });
    return std::move(*value);
  }

  // Has the engine take the song, in parts of 50 frames.
  absl::Status PutSong(const Song& song, int attempt = 1);
  // Opens, brings the song if it is needed, and plans.
  void Begin(const Song& song);
  // One result, which must be stored at once.
  absl::Status Send(const Result& result);
  absl::Status Offer(std::vector<Engine::Offer>* offers, bool all) {
    return On([&](Engine& e) { return e.OnResults(absl::MakeSpan(*offers), all); });
  }
  void SendChunk(const Song& song, int64_t chunk, int attempt = 1);
  // All chunks in track order, up to SUCCEEDED.
  void Complete(const Song& song);
  v1::Separation Get(const Song& song);
  void Watch(const Song& song, Recorder* recorder);
  // As if a minute had passed since the last one: all pauses are over.
  void TickLater();
  // Waits until the separation is in `state`, and all that belongs to that is done.
  bool Await(const Song& song, Recorder* recorder, v1::Separation::State state);

  // `kind` is chunks, joined or out.
  std::string PathOf(const Song& song, const std::string& rest, int attempt = 1) const;

  const std::string folder;
  telemetry::Metrics metrics;
  WatchHub hub;
  WorkFeed feed;
  base::Executor engine_executor{"engine", 1};
  base::Executor finishing_executor{"finishing", 1};
  std::unique_ptr<Engine> engine;
  absl::Status created;

 private:
  void Run(const std::function<void()>& work);
  // The news come first, the files that are needed no more go after them.
  void Settle() {
    Run([] {});
  }

  int minutes_ = 0;
};

// Copies the folder as it is at this moment: what a kill would leave behind.
void CopyAsKilled(const std::string& from, const std::string& to);

// Decodes a result: interleaved samples.
std::vector<float> Decode(const std::string& path, int channels);

std::string ReadAll(const std::string& path);

}  // namespace unbraid::assembler

#endif  // UNBRAID_TESTS_UNIT_ASSEMBLER_FIXTURES_H_
