#include "services/splitter/preparation.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>

#include "services/common/audio/geometry.h"
#include "services/common/audio/interleave.h"
#include "services/common/audio/passes.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/splitter/chunk_cutter.h"
#include "services/splitter/spools.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

class PreparationTest {
 protected:
  PreparationInput Input(int64_t frames, int rate_hz, int channels) {
    PreparationInput input;
    input.track_path = folder_.path() + "/song.wav";
    input.spool_path = folder_.path() + "/song.f32";
    input.track_rate_hz = rate_hz;
    input.track_frames = frames;
    input.model_rate_hz = 44'100;
    input.open_audio = audio::OpenInProcess;
    WriteSong(input.track_path, frames, rate_hz, channels);
    return input;
  }

  Prepared Prepare(const PreparationInput& input) {
    auto preparation = Preparation::Create(input);
    INFO(preparation.status());
    REQUIRE(preparation.ok());
    while (true) {
      const auto complete = (*preparation)->Step();
      INFO(complete.status());
      REQUIRE(complete.ok());
      if (*complete) return (*preparation)->result();
    }
  }

  std::vector<float> Spool(const PreparationInput& input) { return Samples(input.spool_path); }

  std::vector<float> Samples(const std::string& path) {
    const std::string bytes = *store::ReadSmallFile(path);
    std::vector<float> samples(bytes.size() / sizeof(float));
    std::memcpy(samples.data(), bytes.data(), bytes.size());
    return samples;
  }

  // A job for the song, with the window of the test package.
  Job JobFor(const Prepared& prepared, int channels) {
    Job job;
    job.id = base::SeparationId(99);
    job.attempt = 3;
    job.owner = "me";
    job.prepared = prepared;
    job.open.set_window_frames(1000);
    job.open.set_overlap_frames(100);
    job.open.set_model_rate_hz(44'100);
    job.open.set_model_sha256("hash");
    job.open.add_computed_stems(0);
    job.open.add_computed_stems(2);
    job.open.mutable_separation()->set_model("tiny");
    *job.open.mutable_track() = SomeTrack(prepared.model_frames, 44'100, channels);
    return job;
  }

  test_support::TempDir folder_;
};

TEST_CASE_METHOD(PreparationTest, "at the model's rate the spool is the track, sample by sample") {
  const int channels = GENERATE(1, 2);
  const int64_t frames = 150'001;  // several blocks, and a rest
  const PreparationInput input = Input(frames, 44'100, channels);
  const Prepared prepared = Prepare(input);
  CHECK(prepared.model_frames == frames);
  CHECK(prepared.mean == 0);
  CHECK(prepared.scale == 1);
  const std::vector<float> spool = Spool(input);
  REQUIRE(spool.size() == static_cast<size_t>(frames * channels));
  bool same = true;
  for (int64_t i = 0; i < frames; ++i) {
    for (int c = 0; c < channels; ++c) {
      same = same && spool[static_cast<size_t>(i * channels + c)] == TestSample(i, c);
    }
  }
  CHECK(same);
}

TEST_CASE_METHOD(PreparationTest,
                 "another rate gives exactly the frames that stand for the track") {
  const PreparationInput input = Input(48'001, 48'000, 2);
  const Prepared prepared = Prepare(input);
  CHECK(prepared.model_frames == audio::ResampledFrames(48'001, 48'000, 44'100));
  CHECK(Spool(input).size() == static_cast<size_t>(prepared.model_frames * 2));
}

TEST_CASE_METHOD(PreparationTest, "the song at its own rate is the track, sample by sample") {
  const int channels = GENERATE(1, 2);
  const int64_t frames = 150'001;
  PreparationInput input = Input(frames, 48'000, channels);
  Prepare(input);
  const std::vector<float> without = Spool(input);
  input.song_path = folder_.path() + "/song.own.f32";
  Prepare(input);
  CHECK(Spool(input) == without);
  const std::vector<float> song = Samples(input.song_path);
  REQUIRE(song.size() == static_cast<size_t>(frames * channels));
  bool same = true;
  for (int64_t i = 0; i < frames; ++i) {
    for (int c = 0; c < channels; ++c) {
      same = same && song[static_cast<size_t>(i * channels + c)] == TestSample(i, c);
    }
  }
  CHECK(same);
}

TEST_CASE_METHOD(PreparationTest, "Case 4: a track of one frame is prepared") {
  const PreparationInput input = Input(1, 44'100, 1);
  CHECK(Prepare(input).model_frames == 1);
  CHECK(Spool(input) == std::vector<float>{TestSample(0, 0)});
}

TEST_CASE_METHOD(PreparationTest, "normalisation is of the mono mix of the whole track") {
  PreparationInput input = Input(5000, 44'100, 2);
  input.normalisation = model::Normalisation::kTrack;
  const Prepared prepared = Prepare(input);
  double sum = 0;
  for (int64_t i = 0; i < 5000; ++i) sum += (TestSample(i, 0) + TestSample(i, 1)) / 2.0;
  CHECK(prepared.mean == Approx(sum / 5000));
  CHECK(prepared.scale > 0.01);
  CHECK(prepared.scale < 1);
}

TEST_CASE_METHOD(PreparationTest, "a preparation that is dropped half-way leaves no file") {
  PreparationInput input = Input(200'000, 48'000, 2);
  const std::string spools = folder_.path() + "/spools";
  REQUIRE(Spools::Create(folder_.path()).ok());
  input.spool_path = spools + "/1.f32";
  input.song_path = spools + "/1.song.f32";
  {
    auto preparation = *Preparation::Create(input);
    REQUIRE(*preparation->Step() == false);
    CHECK_FALSE(std::filesystem::is_empty(spools));
  }
  CHECK(std::filesystem::is_empty(spools));
}

TEST_CASE_METHOD(PreparationTest, "a disk without room is told before anything is written") {
  PreparationInput input = Input(1000, 44'100, 2);
  input.min_free_bytes = int64_t{1} << 60;
  const absl::Status status = Preparation::Create(input).status();
  CHECK(absl::IsResourceExhausted(status));
  CHECK(base::ReasonOf(status) == "DISK_FULL");
}

TEST_CASE_METHOD(PreparationTest, "the room that the song itself takes is counted") {
  PreparationInput input = Input(1000, 22'050, 2);
  // Between one file and two of them, whatever else happens on the disk meanwhile.
  input.track_frames = *store::FreeBytes(folder_.path()) / 8;
  input.model_rate_hz = 11'025;
  CHECK(Preparation::Create(input).ok());
  input.song_path = folder_.path() + "/song.own.f32";
  const absl::Status status = Preparation::Create(input).status();
  CHECK(base::ReasonOf(status) == "DISK_FULL");
}

TEST_CASE_METHOD(PreparationTest, "chunks hold the track where it is, and zero where it is not") {
  const int channels = GENERATE(1, 2);
  const int64_t frames = GENERATE(1, 999, 1000, 1001, 2750);  // Case 5
  const int shifts = GENERATE(0, 3);
  const PreparationInput input = Input(frames, 44'100, channels);
  Job job = JobFor(Prepare(input), channels);
  job.open.mutable_separation()->set_shifts(shifts);
  const audio::Passes passes(*audio::ChunkGeometry::Create(1000, 100),
                             audio::PassSilences(shifts, 0, 44'100), frames);
  REQUIRE(*ChunkCount(job) == passes.ChunkCount());
  for (int64_t k = 0; k < *ChunkCount(job); ++k) {
    const auto span = passes.Span(k);
    const auto task = CutChunk(job, input.spool_path, k, 1, "assembler-1");
    INFO(task.status());
    REQUIRE(task.ok());
    CHECK(task->keep_offset() == span.lead);
    CHECK(task->keep_frames() == span.useful);
    CHECK(task->track_offset() == std::clamp<int64_t>(-span.window_start, 0, 1000));
    CHECK(task->samples_crc32c() == base::Crc32c(task->samples()));
    const auto window = *audio::InterleavedSamples(task->samples(), 1000, channels);
    bool same = true;
    for (int64_t i = 0; i < 1000; ++i) {
      const int64_t frame = span.window_start + i;
      for (int c = 0; c < channels; ++c) {
        const float expected = frame >= 0 && frame < frames ? TestSample(frame, c) : 0.0F;
        same = same && window[static_cast<size_t>(i * channels + c)] == expected;
      }
    }
    CHECK(same);
  }
}

TEST_CASE_METHOD(PreparationTest, "a task carries what a worker and the assembler need") {
  const PreparationInput input = Input(2000, 44'100, 2);
  Job job = JobFor(Prepare(input), 2);
  job.prepared.mean = 0.5;
  job.prepared.scale = 0.25;
  const auto task = *CutChunk(job, input.spool_path, 1, 2, "assembler-1");
  CHECK(ChunkMessageId(task) == "99.3.1.2");
  CHECK(task.assembler() == "assembler-1");
  CHECK(task.model() == "tiny");
  CHECK(task.model_sha256() == "hash");
  CHECK(task.stem_indexes_size() == 2);
  CHECK(task.window_frames() == 1000);
  CHECK(task.channels() == 2);
  CHECK(task.mean() == 0.5);
  CHECK(task.scale() == 0.25);
  CHECK(task.owner() == "me");
}

TEST_CASE_METHOD(PreparationTest, "a spool that is gone or too short is an error") {
  const PreparationInput input = Input(2000, 44'100, 2);
  const Job job = JobFor(Prepare(input), 2);
  CHECK(absl::IsNotFound(CutChunk(job, folder_.path() + "/none", 0, 1, "a").status()));
  REQUIRE(store::WriteFileDurably(input.spool_path, "short").ok());
  CHECK(absl::IsDataLoss(CutChunk(job, input.spool_path, 0, 1, "a").status()));
}

TEST_CASE_METHOD(PreparationTest, "a chunk is ready as soon as its window is in the spool") {
  for (const int64_t frames : {1, 999, 1000, 1001, 1900, 1901, 4000}) {
    Prepared prepared;
    prepared.model_frames = frames;
    const Job job = JobFor(prepared, 1);
    const auto geometry = audio::ChunkGeometry::Create(1000, 100).value();
    const int64_t chunks = *ChunkCount(job);
    for (int64_t written = 0; written <= frames; ++written) {
      int64_t ready = 0;
      while (ready < chunks &&
             std::min(geometry.Span(ready, frames).window_start + 1000, frames) <= written) {
        ++ready;
      }
      CAPTURE(frames, written);
      REQUIRE(*ReadyChunks(job, written) == ready);
    }
  }
}

TEST_CASE_METHOD(PreparationTest, "what is written of a spool can be read before it is complete") {
  const PreparationInput input = Input(200'000, 48'000, 2);
  auto preparation = Preparation::Create(input).value();
  CHECK(preparation->result().model_frames == 183'750);
  CHECK(preparation->written_frames() == 0);
  std::string beginning;
  for (bool complete = false; !complete;) {
    complete = preparation->Step().value();
    if (complete) break;
    const auto size = static_cast<size_t>(preparation->written_frames()) * 8;
    const std::string bytes = *store::ReadSmallFile(preparation->part_path());
    CHECK(bytes.size() == size);
    CHECK(bytes.compare(0, beginning.size(), beginning) == 0);
    beginning = bytes;
  }
  CHECK(!beginning.empty());
  CHECK(preparation->written_frames() == 183'750);
  CHECK(store::ReadSmallFile(input.spool_path)->compare(0, beginning.size(), beginning) == 0);
}

}  // namespace
}  // namespace unbraid::splitter
