#include "services/worker/chunk_processor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/worker/task_check.h"

namespace unbraid::worker {

using internal::v1::ChunkResult;
using internal::v1::ChunkTask;
using internal::v1::StemSamples;

namespace {

// A failure of the device, not of the model.
bool IsOfDevice(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsUnavailable(status);
}

// One of samples that travel, by its number.
float SampleAt(const std::string& samples, int64_t index) {
  float sample = 0;
  std::memcpy(&sample, samples.data() + static_cast<size_t>(index) * sizeof sample, sizeof sample);
  return sample;
}

// The number of the first one that is infinite or no number.
std::optional<int64_t> FindNonFinite(const std::string& samples) {
  const auto count = static_cast<int64_t>(samples.size() / sizeof(float));
  for (int64_t index = 0; index < count; ++index) {
    if (!std::isfinite(SampleAt(samples, index))) return index;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<ChunkProcessor> ChunkProcessor::Create(std::string worker,
                                                      const model::Package* package,
                                                      Pipeline* pipeline) {
  const Geometry& geometry = pipeline->geometry();
  if (geometry.channels != package->channels || geometry.window_frames != package->window_frames ||
      static_cast<size_t>(geometry.stems) != package->stems.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("model ", package->name, " does not have the geometry that its package says"));
  }
  return ChunkProcessor(std::move(worker), package, pipeline);
}

ChunkProcessor::ChunkProcessor(std::string worker, const model::Package* package,
                               Pipeline* pipeline)
    : worker_(std::move(worker)),
      package_(package),
      pipeline_(pipeline),
      adapter_(pipeline->geometry()) {}

int64_t ChunkProcessor::buffer_bytes(int chunks) const {
  const Geometry& geometry = pipeline_->geometry();
  const auto windows = static_cast<size_t>(chunks * MostWindowsOfChunk(*package_));
  const auto slots = static_cast<size_t>(pipeline_->slots());
  const size_t batches = slots * windows * (geometry.window_samples() + geometry.output_samples());
  return static_cast<int64_t>(batches * sizeof(float));
}

int ChunkProcessor::chunks() const {
  return std::max(1, pipeline_->windows() / MostWindowsOfChunk(*package_));
}

size_t ChunkProcessor::WindowSamples(const ChunkTask& task) const {
  return static_cast<size_t>(adapter_.WindowCount(task)) * pipeline_->geometry().window_samples();
}

size_t ChunkProcessor::OutputSamples(const ChunkTask& task) const {
  return static_cast<size_t>(adapter_.WindowCount(task)) * pipeline_->geometry().output_samples();
}

void ChunkProcessor::Begin(absl::Span<const ChunkTask> tasks) {
  Batch& batch = batches_.emplace_back();
  batch.tasks = tasks;
  if (!spare_windows_.empty()) {
    batch.windows = std::move(spare_windows_.back());
    spare_windows_.pop_back();
    batch.windows.clear();
  }
  std::set<int> wanted;
  for (const ChunkTask& task : tasks) {
    batch.checks.push_back(CheckTask(task, *package_));
    if (!batch.checks.back().ok()) continue;
    adapter_.AppendWindows(task, &batch.windows);
    wanted.insert(task.stem_indexes().begin(), task.stem_indexes().end());
  }
  batch.wanted.assign(wanted.begin(), wanted.end());
  batch.begun = base::SteadyNow();
  if (!batch.none_good()) pipeline_->Begin(batch.windows, batch.wanted);
}

absl::StatusOr<std::vector<ChunkProcessor::Results>> ChunkProcessor::End() {
  Batch batch = std::move(batches_.front());
  batches_.pop_front();
  absl::StatusOr<absl::Span<const float>> output = absl::Span<const float>();
  if (!batch.none_good()) output = pipeline_->End();
  const absl::Time now = base::SteadyNow();
  const auto good = std::count(batch.checks.begin(), batch.checks.end(), absl::OkStatus());
  // A batch that was begun beside another one had its turn when that one was done with.
  batch.seconds = absl::ToDoubleSeconds(now - std::max(batch.begun, last_ended_)) /
                  static_cast<double>(std::max<int64_t>(good, 1));
  last_ended_ = now;
  absl::StatusOr<std::vector<Results>> results =
      !output.ok() && !IsOfDevice(output.status()) && good > 1
          ? FinishOneByOne(batch)
          : FinishAll(batch, std::move(output));
  spare_windows_.push_back(std::move(batch.windows));
  return results;
}

absl::StatusOr<std::vector<ChunkProcessor::Results>> ChunkProcessor::FinishAll(
    const Batch& batch, absl::StatusOr<absl::Span<const float>> output) {
  if (IsOfDevice(output.status())) return output.status();
  std::vector<Results> all;
  size_t position = 0;
  for (size_t i = 0; i < batch.tasks.size(); ++i) {
    const ChunkTask& task = batch.tasks[i];
    if (!batch.checks[i].ok()) {
      all.push_back(Failed(task, 0, batch.checks[i]));
    } else if (!output.ok()) {
      all.push_back(FailedByModel(task, batch.seconds, output.status()));
    } else {
      all.push_back(Finish(task, batch.seconds, output->subspan(position, OutputSamples(task))));
      position += OutputSamples(task);
    }
  }
  return all;
}

absl::StatusOr<std::vector<ChunkProcessor::Results>> ChunkProcessor::FinishOneByOne(
    const Batch& batch) {
  std::vector<Results> all;
  size_t position = 0;
  for (size_t i = 0; i < batch.tasks.size(); ++i) {
    const ChunkTask& task = batch.tasks[i];
    if (!batch.checks[i].ok()) {
      all.push_back(Failed(task, 0, batch.checks[i]));
      continue;
    }
    const absl::Time start = base::SteadyNow();
    const std::vector<int> wanted(task.stem_indexes().begin(), task.stem_indexes().end());
    const auto output = pipeline_->Run(
        absl::MakeConstSpan(batch.windows).subspan(position, WindowSamples(task)), wanted);
    const double seconds = absl::ToDoubleSeconds(base::SteadyNow() - start);
    if (IsOfDevice(output.status())) return output.status();
    all.push_back(output.ok() ? Finish(task, seconds, *output)
                              : FailedByModel(task, seconds, output.status()));
    position += WindowSamples(task);
  }
  return all;
}

ChunkProcessor::Results ChunkProcessor::Finish(const ChunkTask& task, double seconds,
                                               absl::Span<const float> output) {
  Results results;
  for (const int stem : task.stem_indexes()) {
    results.push_back(NewResult(task, seconds));
    const absl::Status filled = FillStem(task, stem, output, results.back().mutable_stem());
    if (!filled.ok()) return Failed(task, seconds, filled);
  }
  return results;
}

absl::Status ChunkProcessor::FillStem(const ChunkTask& task, int stem,
                                      absl::Span<const float> output, StemSamples* samples) {
  adapter_.KeepStem(task, stem, output, samples->mutable_samples());
  if (const auto bad = FindNonFinite(samples->samples())) {
    return base::Error(absl::StatusCode::kInternal, kNonFiniteResult,
                       absl::StrCat("the model gave ", SampleAt(samples->samples(), *bad),
                                    " for stem ", package_->stems[static_cast<size_t>(stem)],
                                    " at kept frame ", *bad % task.keep_frames()));
  }
  samples->set_stem_index(stem);
  samples->set_channels(task.channels());
  samples->set_frames(task.keep_frames());
  samples->set_samples_crc32c(base::Crc32c(samples->samples()));
  return absl::OkStatus();
}

ChunkResult ChunkProcessor::NewResult(const ChunkTask& task, double seconds) const {
  ChunkResult result;
  result.set_separation_id(task.separation_id());
  result.set_attempt(task.attempt());
  result.set_chunk_index(task.chunk_index());
  result.set_try_(task.try_());
  result.set_worker(worker_);
  result.set_compute_seconds(seconds);
  result.set_trace_parent(task.trace_parent());
  return result;
}

ChunkProcessor::Results ChunkProcessor::FailedByModel(const ChunkTask& task, double seconds,
                                                      const absl::Status& status) const {
  return Failed(task, seconds,
                base::Error(status.code(), kModelError, std::string(status.message())));
}

ChunkProcessor::Results ChunkProcessor::Failed(const ChunkTask& task, double seconds,
                                               const absl::Status& status) const {
  Results results = {NewResult(task, seconds)};
  results.back().mutable_failure()->set_reason(base::ReasonOf(status));
  results.back().mutable_failure()->set_message(std::string(status.message()));
  return results;
}

}  // namespace unbraid::worker
