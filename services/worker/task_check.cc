#include "services/worker/task_check.h"

#include <cmath>
#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/samples/beside.h"

namespace unbraid::worker {
namespace {

using internal::v1::ChunkTask;

constexpr int kMaxChannels = 2;

absl::Status BadTask(absl::string_view sentence) {
  return base::Error(absl::StatusCode::kInvalidArgument, kBadTask, sentence);
}

absl::Status CheckModel(const ChunkTask& task, const model::Package& package) {
  if (task.model() == package.name && task.model_sha256() == package.sha256) {
    return absl::OkStatus();
  }
  return base::Error(
      absl::StatusCode::kFailedPrecondition, kModelMismatch,
      absl::StrCat("the task wants model ", task.model(), " with SHA-256 ", task.model_sha256(),
                   ", this worker has ", package.name, " with ", package.sha256,
                   "; give the same packages to every part of the system"));
}

absl::Status CheckThere(const ChunkTask& task) {
  if (!task.has_samples_object() || !task.samples().empty()) return absl::OkStatus();
  return base::Error(absl::StatusCode::kNotFound, samples::kSamplesMissing,
                     samples::MissingText(task.samples_object()));
}

absl::Status CheckCrc(const ChunkTask& task) {
  const uint32_t crc = base::Crc32c(task.samples());
  if (crc == task.samples_crc32c()) return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kDataLoss, kBadChecksum,
      absl::StrCat("the samples have CRC32C ", absl::Hex(crc, absl::kZeroPad8), ", the task says ",
                   absl::Hex(task.samples_crc32c(), absl::kZeroPad8)));
}

absl::Status CheckSize(const ChunkTask& task, const model::Package& package) {
  if (task.channels() < 1 || task.channels() > kMaxChannels) {
    return BadTask(
        absl::StrCat("the task has ", task.channels(), " channels; 1 or 2 are possible"));
  }
  if (task.window_frames() != package.window_frames) {
    return BadTask(absl::StrCat("the task has a window of ", task.window_frames(),
                                " frames; the model takes ", package.window_frames));
  }
  const uint64_t bytes = static_cast<uint64_t>(task.channels()) *
                         static_cast<uint64_t>(package.window_frames) * sizeof(float);
  if (task.samples().size() != bytes) {
    return BadTask(absl::StrCat("the task carries ", task.samples().size(),
                                " bytes of samples; its window has ", bytes));
  }
  return absl::OkStatus();
}

absl::Status CheckKept(const ChunkTask& task) {
  // Written so that no sum can overflow.
  if (task.keep_frames() < 1 || task.keep_offset() < 0 ||
      task.keep_offset() > task.window_frames() ||
      task.keep_frames() > task.window_frames() - task.keep_offset()) {
    return BadTask(absl::StrCat("the task keeps ", task.keep_frames(), " frames from frame ",
                                task.keep_offset(), "; its window has ", task.window_frames()));
  }
  if (task.track_offset() < 0 || task.track_offset() > task.window_frames()) {
    return BadTask(absl::StrCat("the track begins at frame ", task.track_offset(),
                                " of the task's window, which has ", task.window_frames()));
  }
  return absl::OkStatus();
}

absl::Status CheckStems(const ChunkTask& task, const model::Package& package) {
  if (task.stem_indexes().empty()) return BadTask("the task wants no stem");
  std::set<int32_t> seen;
  for (const int32_t stem : task.stem_indexes()) {
    if (stem < 0 || static_cast<size_t>(stem) >= package.stems.size()) {
      return BadTask(absl::StrCat("the task wants stem ", stem, "; the model has ",
                                  package.stems.size(), ", from 0"));
    }
    if (!seen.insert(stem).second) {
      return BadTask(absl::StrCat("the task wants stem ", stem, " twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const ChunkTask& task) {
  if (task.chunk_index() < 0) {
    return BadTask(absl::StrCat("the task is chunk ", task.chunk_index(), "; they count from 0"));
  }
  if (!std::isfinite(task.mean()) || !std::isfinite(task.scale()) || task.scale() <= 0) {
    return BadTask(absl::StrCat("the task normalises with mean ", task.mean(), " and scale ",
                                task.scale(), "; both must be finite, the scale above 0"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTask(const ChunkTask& task, const model::Package& package) {
  UNBRAID_RETURN_IF_ERROR(CheckModel(task, package));
  UNBRAID_RETURN_IF_ERROR(CheckThere(task));
  UNBRAID_RETURN_IF_ERROR(CheckCrc(task));
  UNBRAID_RETURN_IF_ERROR(CheckSize(task, package));
  UNBRAID_RETURN_IF_ERROR(CheckKept(task));
  UNBRAID_RETURN_IF_ERROR(CheckStems(task, package));
  return CheckNumbers(task);
}

}  // namespace unbraid::worker
