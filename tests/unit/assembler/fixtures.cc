#include "tests/unit/assembler/fixtures.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/common/audio/decoder.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/steady.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

const std::vector<std::string>& ModelStems() {
  static const auto* const stems = new std::vector<std::string>{"drums", "bass", "other", "vocals"};
  return *stems;
}

float DefaultSample(int64_t chunk, int stem, int64_t frame, int channel) {
  constexpr uint64_t kPrime = 1'000'003;
  uint64_t seed = static_cast<uint64_t>(chunk);
  seed = seed * kPrime + static_cast<uint64_t>(stem);
  seed = seed * kPrime + static_cast<uint64_t>(frame);
  return Noise(seed * kPrime + static_cast<uint64_t>(channel));
}

}  // namespace

float Noise(uint64_t seed) {
  // SplitMix64.
  uint64_t z = seed + 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  z ^= z >> 31U;
  return static_cast<float>(static_cast<double>(z >> 40U) / static_cast<double>(1U << 23U) - 1.0);
}

audio::Passes Song::passes() const {
  return {*audio::ChunkGeometry::Create(window, overlap),
          audio::PassSilences(shifts, shift_seed, model_rate_hz), model_frames};
}

int64_t Song::chunks() const { return passes().ChunkCount(); }

int64_t Song::useful(int64_t chunk) const { return passes().Span(chunk).useful; }

internal::v1::OpenSeparationRequest Song::Open() const {
  internal::v1::OpenSeparationRequest request;
  request.set_separation_id(id);
  request.set_fingerprint_sha256(absl::StrCat("fingerprint-", id));
  request.set_splitter("splitter-1");
  v1::Separation* separation = request.mutable_separation();
  separation->set_track("tracks/77");
  separation->set_model("toy");
  for (const std::string& stem : wanted) separation->add_stems(stem);
  for (size_t i = 0; i < computed.size(); ++i) {
    const std::string& name = ModelStems()[static_cast<size_t>(computed[i])];
    (*separation->mutable_mix()->mutable_gains())[name] = gains[i];
  }
  *separation->mutable_output_format() = output;
  separation->set_residual(residual);
  separation->set_shifts(shifts);
  separation->set_shift_seed(shift_seed);
  separation->mutable_output_format()->set_container(container);
  separation->mutable_output_format()->set_sample_format(format);
  v1::Track* track = request.mutable_track();
  track->set_name("tracks/77");
  track->set_sample_rate_hz(rate_hz);
  track->set_channels(channels);
  track->set_frames(frames);
  track->set_title("Song");
  track->set_artist("Band");
  for (const std::string& stem : ModelStems()) request.add_model_stems(stem);
  for (int stem : computed) request.add_computed_stems(stem);
  request.set_model_rate_hz(model_rate_hz);
  request.set_window_frames(window);
  request.set_overlap_frames(overlap);
  request.set_model_sha256("abc");
  return request;
}

internal::v1::PlanSeparationRequest Song::Plan(int attempt) const {
  internal::v1::PlanSeparationRequest request;
  request.set_separation_id(id);
  request.set_attempt(attempt);
  request.set_model_frames(model_frames);
  request.set_chunks(chunks());
  return request;
}

internal::v1::ChunkResult Song::Message(int64_t chunk, int stem, int attempt) const {
  internal::v1::ChunkResult message;
  message.set_separation_id(id);
  message.set_attempt(attempt);
  message.set_chunk_index(chunk);
  message.set_try_(1);
  message.set_worker("worker-1");
  message.set_compute_seconds(0.5);
  internal::v1::StemSamples* samples = message.mutable_stem();
  samples->set_stem_index(stem);
  samples->set_channels(channels);
  samples->set_frames(useful(chunk));
  std::vector<float> interleaved;
  for (int64_t frame = 0; frame < useful(chunk); ++frame) {
    for (int channel = 0; channel < channels; ++channel) {
      interleaved.push_back(sample ? sample(chunk, stem, frame, channel)
                                   : DefaultSample(chunk, stem, frame, channel));
    }
  }
  samples->set_samples(audio::PlanarBytes(interleaved.data(), useful(chunk), channels));
  samples->set_samples_crc32c(base::Crc32c(samples->samples()));
  return message;
}

Result Song::Samples(int64_t chunk, int stem, int attempt) const {
  absl::StatusOr<Result> result = ParseResult(Message(chunk, stem, attempt).SerializeAsString());
  REQUIRE(result.ok());
  return *std::move(result);
}

Result Song::Failure(int64_t chunk, int try_number, int attempt) const {
  Result result;
  result.id = separation_id();
  result.attempt = attempt;
  result.chunk = chunk;
  result.try_number = try_number;
  result.worker = "worker-2";
  result.failure_reason = "MODEL_ERROR";
  result.failure_message = "the model threw";
  return result;
}

void Recorder::OnNews(SeparationSnapshot news) {
  absl::MutexLock lock(&mutex_);
  if (news == nullptr) {
    ++closed_;
  } else {
    all_.push_back(*news);
  }
}

void Recorder::OnBeat() {
  absl::MutexLock lock(&mutex_);
  ++beats_;
}

bool Recorder::AwaitState(v1::Separation::State state) const {
  auto reached = [this, state]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !all_.empty() && all_.back().state() == state;
  };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), kPatience);
}

bool Recorder::AwaitWaitingFor(const std::string& text) const {
  auto reached = [this, &text]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !all_.empty() && all_.back().progress().waiting_for() == text;
  };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), kPatience);
}

std::vector<v1::Separation> Recorder::all() const {
  absl::MutexLock lock(&mutex_);
  return all_;
}

int Recorder::beats() const {
  absl::MutexLock lock(&mutex_);
  return beats_;
}

int Recorder::closed() const {
  absl::MutexLock lock(&mutex_);
  return closed_;
}

Bench::Bench(const std::string& data_folder, const std::function<void(Engine::Options*)>& adjust)
    : folder(data_folder) {
  Run([&] {
    Engine::Options options{folder, &engine_executor, &finishing_executor, &hub, &feed, &metrics};
    if (adjust) adjust(&options);
    absl::StatusOr<std::unique_ptr<Engine>> made = Engine::Create(options);
    created = made.status();
    if (made.ok()) engine = *std::move(made);
  });
}

Bench::~Bench() {
  if (engine != nullptr) Run([this] { engine->AbandonFinishing(); });
  finishing_executor.Stop();
  engine_executor.Stop();
}

void Bench::Run(const std::function<void()>& work) {
  absl::Notification done;
  engine_executor.Post([&] {
    work();
    done.Notify();
  });
  done.WaitForNotification();
}

void Bench::Begin(const Song& song) {
  const auto opened = On([&](Engine& e) { return e.Open(kOwner, song.Open()); });
  REQUIRE(opened.ok());
  if (song.residual) REQUIRE(PutSong(song, opened->attempt()).ok());
  REQUIRE(On([&](Engine& e) { return e.Plan(song.Plan(opened->attempt())); }).ok());
}

absl::Status Bench::Send(const Result& result) {
  std::vector<Engine::Offer> offers = {{result}};
  const absl::Status status = Offer(&offers, /*all=*/true);
  CHECK(offers.front().taken == status.ok());
  return status;
}

void Bench::SendChunk(const Song& song, int64_t chunk, int attempt) {
  for (int stem : song.computed) REQUIRE(Send(song.Samples(chunk, stem, attempt)).ok());
}

void Bench::Complete(const Song& song) {
  Recorder recorder;
  Begin(song);
  Watch(song, &recorder);
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) SendChunk(song, chunk);
  REQUIRE(recorder.AwaitState(v1::Separation::STATE_SUCCEEDED));
  hub.Unsubscribe(song.separation_id(), &recorder);
  Settle();
}

v1::Separation Bench::Get(const Song& song) {
  const auto found = On([&](Engine& e) { return e.Get(kOwner, song.separation_id()); });
  REQUIRE(found.ok());
  return *found;
}

void Bench::Watch(const Song& song, Recorder* recorder) {
  On([&](Engine& e) {
    const auto now = e.Get(kOwner, song.separation_id());
    REQUIRE(now.ok());
    recorder->OnNews(std::make_shared<const v1::Separation>(*now));
    hub.Subscribe(song.separation_id(), recorder);
    return true;
  });
}

bool Bench::Await(const Song& song, Recorder* recorder, v1::Separation::State state) {
  Watch(song, recorder);
  const bool reached = recorder->AwaitState(state);
  hub.Unsubscribe(song.separation_id(), recorder);
  Settle();
  return reached;
}

void Bench::TickLater() {
  const absl::Duration later = absl::Minutes(++minutes_);
  Run([&] { engine->Tick(base::SteadyNow() + later, absl::Now() + later); });
}

std::string Bench::PathOf(const Song& song, const std::string& rest, int attempt) const {
  return absl::StrCat(folder, "/separations/", song.id, "/", attempt, "/", rest);
}

void CopyAsKilled(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  // Shared memory does not survive its processes' machine, and is rebuilt from the log.
  std::filesystem::remove(to + "/assembler.sqlite-shm");
}

std::vector<float> Decode(const std::string& path, int channels) {
  auto decoder = audio::Decoder::Open(path);
  REQUIRE(decoder.ok());
  REQUIRE((*decoder)->format().channels == channels);
  std::vector<float> samples;
  constexpr int64_t kBlock = 4096;
  std::vector<float> block(static_cast<size_t>(kBlock * channels));
  while (true) {
    const auto got = (*decoder)->Read(block.data(), kBlock);
    REQUIRE(got.ok());
    if (*got == 0) return samples;
    samples.insert(samples.end(), block.begin(), block.begin() + *got * channels);
  }
}

std::string ReadAll(const std::string& path) {
  const auto content = store::ReadSmallFile(path);
  REQUIRE(content.ok());
  return *content;
}

}  // namespace unbraid::assembler
