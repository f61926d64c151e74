#include "services/worker/window_adapter.h"

#include <catch2/catch.hpp>

#include "tests/unit/worker/fake_separator.h"

namespace unbraid::worker {
namespace {

using internal::v1::ChunkTask;

WindowAdapter AdapterFor(int model_channels) { return WindowAdapter({model_channels, kWindow, 2}); }

// What the adapter makes of a model that gives its input back as both stems.
std::vector<float> ThroughIdentity(const ChunkTask& task, int model_channels, int stem) {
  const WindowAdapter adapter = AdapterFor(model_channels);
  std::vector<float> windows;
  adapter.AppendWindows(task, &windows);
  FakeSeparator model({model_channels, kWindow, 2});
  model.transform = [](float sample, int) { return sample; };
  std::vector<float> output;
  REQUIRE(model.Separate(windows, {0, 1}, &output).ok());
  std::string kept;
  adapter.KeepStem(task, stem, output, &kept);
  return SamplesOf(kept);
}

TEST_CASE("every pair of channel counts comes back exact, for each stem") {
  const int model_channels = GENERATE(1, 2);
  const int task_channels = GENERATE(1, 2);
  const int stem = GENERATE(0, 1);
  ChunkTask task = FakeTask(FakePackage(model_channels), task_channels, 7);
  // Values at which a mean in float would round or overflow.
  std::vector<float> samples = SamplesOf(task.samples());
  samples[2] = 3e38F;
  samples[3] = -3e38F;
  samples[4] = 1e-37F;
  samples[5] = 0.1F;
  SetSamples(samples, &task);
  CHECK(ThroughIdentity(task, model_channels, stem) == samples);
}

TEST_CASE("a mono track reaches a stereo model as two equal channels") {
  const ChunkTask task = FakeTask(FakePackage(2), 1);
  std::vector<float> windows;
  AdapterFor(2).AppendWindows(task, &windows);
  std::vector<float> twice = SamplesOf(task.samples());
  twice.insert(twice.end(), twice.begin(), twice.begin() + kWindow);
  CHECK(windows == twice);
}

TEST_CASE("a mono track gets the mean of what a stereo model makes of it") {
  const ChunkTask task = FakeTask(FakePackage(2), 1);
  std::vector<float> output(2 * 2 * kWindow, 0.0F);
  output[3] = 0.5F;              // stem 0, left
  output[kWindow + 3] = -0.25F;  // stem 0, right
  std::string bytes;
  AdapterFor(2).KeepStem(task, 0, output, &bytes);
  const std::vector<float> kept = SamplesOf(bytes);
  REQUIRE(kept.size() == kWindow);
  CHECK(kept[3] == 0.125F);
}

TEST_CASE("each channel of a stereo track goes through a mono model by itself") {
  const ChunkTask task = FakeTask(FakePackage(1), 2);
  const WindowAdapter adapter = AdapterFor(1);
  CHECK(adapter.WindowCount(task) == 2);
  std::vector<float> windows;
  adapter.AppendWindows(task, &windows);
  CHECK(windows == SamplesOf(task.samples()));
}

TEST_CASE("normalisation is undone after the model") {
  ChunkTask task = FakeTask(FakePackage(2), 2, 3);
  task.set_mean(0.03125);
  task.set_scale(0.125);
  const std::vector<float> in = SamplesOf(task.samples());
  const std::vector<float> out = ThroughIdentity(task, 2, 1);
  REQUIRE(out.size() == in.size());
  for (size_t i = 0; i < in.size(); ++i) CHECK(out[i] == Approx(in[i]).margin(1e-7));
}

TEST_CASE("the model sees samples less the mean, divided by the scale") {
  ChunkTask task = FakeTask(FakePackage(2), 2);
  SetSamples(std::vector<float>(2 * kWindow, 0.75F), &task);
  task.set_mean(0.25);
  task.set_scale(0.125);
  std::vector<float> windows;
  AdapterFor(2).AppendWindows(task, &windows);
  CHECK(windows == std::vector<float>(2 * kWindow, 4.0F));
}

TEST_CASE("what lies outside the track stays zero under normalisation") {
  // A track of 6 frames in the middle of its only window; a track of 27, whose last chunk yields
  // 3 frames and has context before them; the beginning of a pass with 4 silent frames, which are
  // yielded too; a chunk of such a pass that yields silence only.
  struct Case {
    int64_t keep_offset, keep_frames, first, end;
  };
  const Case c = GENERATE(Case{5, 6, 5, 11}, Case{6, 3, 0, 9}, Case{0, kWindow, 4, kWindow},
                          Case{0, kWindow, kWindow, kWindow});
  ChunkTask task = FakeTask(FakePackage(1), 1);
  task.set_chunk_index(40);
  task.set_keep_offset(c.keep_offset);
  task.set_keep_frames(c.keep_frames);
  task.set_track_offset(c.first);
  std::vector<float> samples(kWindow, 0.0F);
  std::fill(samples.begin() + c.first, samples.begin() + c.end, 0.75F);
  SetSamples(samples, &task);
  task.set_mean(0.25);
  task.set_scale(0.5);
  std::vector<float> windows;
  AdapterFor(1).AppendWindows(task, &windows);
  for (int64_t i = 0; i < kWindow; ++i)
    CHECK(windows[static_cast<size_t>(i)] == (i >= c.first && i < c.end ? 1.0F : 0.0F));
}

TEST_CASE("Case 15: a tiny scale blows nothing up when it is undone") {
  ChunkTask task = FakeTask(FakePackage(2), 2);
  task.set_scale(1e-8);
  const std::vector<float> in = SamplesOf(task.samples());
  const std::vector<float> out = ThroughIdentity(task, 2, 0);
  for (size_t i = 0; i < in.size(); ++i) CHECK(out[i] == Approx(in[i]).margin(1e-7));
}

}  // namespace
}  // namespace unbraid::worker
