#include "services/worker/chunk_processor.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/worker/task_check.h"

namespace unbraid::worker {

using internal::v1::ChunkResult;
using internal::v1::ChunkTask;
using internal::v1::StemSamples;

absl::StatusOr<ChunkProcessor> ChunkProcessor::Create(std::string worker,
                                                      const model::Package* package,
                                                      Separator* separator) {
  const Geometry& geometry = separator->geometry();
  if (geometry.channels != package->channels || geometry.window_frames != package->window_frames ||
      static_cast<size_t>(geometry.stems) != package->stems.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("model ", package->name, " does not have the geometry that its package says"));
  }
  return ChunkProcessor(std::move(worker), package, separator);
}

ChunkProcessor::ChunkProcessor(std::string worker, const model::Package* package,
                               Separator* separator)
    : worker_(std::move(worker)),
      package_(package),
      separator_(separator),
      adapter_(separator->geometry()) {}

int64_t ChunkProcessor::buffer_bytes() const {
  const Geometry& geometry = separator_->geometry();
  const size_t windows = geometry.channels == 1 ? 2 : 1;  // a mono model takes stereo as two
  const size_t samples = 2 * geometry.window_samples() + geometry.output_samples();
  return static_cast<int64_t>(windows * samples * sizeof(float));
}

std::vector<ChunkProcessor::Results> ChunkProcessor::Process(absl::Span<const ChunkTask> tasks) {
  std::vector<absl::Status> checks;
  windows_.clear();
  std::set<int> wanted;
  int good = 0;
  for (const ChunkTask& task : tasks) {
    checks.push_back(CheckTask(task, *package_));
    if (!checks.back().ok()) continue;
    adapter_.AppendWindows(task, &windows_);
    wanted.insert(task.stem_indexes().begin(), task.stem_indexes().end());
    ++good;
  }
  const absl::Time start = absl::Now();
  absl::Status model;
  if (good > 0) {
    model =
        separator_->Separate(windows_, std::vector<int>(wanted.begin(), wanted.end()), &output_);
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start) / std::max(good, 1);

  std::vector<Results> all;
  size_t position = 0;
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (!checks[i].ok()) {
      all.push_back(Failed(tasks[i], 0, checks[i]));
    } else if (!model.ok()) {
      all.push_back(Failed(tasks[i], seconds,
                           base::Error(model.code(), kModelError, std::string(model.message()))));
    } else {
      const size_t samples = static_cast<size_t>(adapter_.WindowCount(tasks[i])) *
                             separator_->geometry().output_samples();
      all.push_back(
          Finish(tasks[i], seconds, absl::MakeConstSpan(output_).subspan(position, samples)));
      position += samples;
    }
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
  adapter_.KeepStem(task, stem, output, &kept_);
  const auto bad =
      std::find_if(kept_.begin(), kept_.end(), [](float value) { return !std::isfinite(value); });
  if (bad != kept_.end()) {
    return base::Error(absl::StatusCode::kInternal, kNonFiniteResult,
                       absl::StrCat("the model gave ", *bad, " for stem ",
                                    package_->stems[static_cast<size_t>(stem)], " at kept frame ",
                                    (bad - kept_.begin()) % task.keep_frames()));
  }
  samples->set_stem_index(stem);
  samples->set_channels(task.channels());
  samples->set_frames(task.keep_frames());
  samples->set_samples(kept_.data(), kept_.size() * sizeof(float));
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

ChunkProcessor::Results ChunkProcessor::Failed(const ChunkTask& task, double seconds,
                                               const absl::Status& status) const {
  Results results = {NewResult(task, seconds)};
  results.back().mutable_failure()->set_reason(base::ReasonOf(status));
  results.back().mutable_failure()->set_message(std::string(status.message()));
  return results;
}

}  // namespace unbraid::worker
