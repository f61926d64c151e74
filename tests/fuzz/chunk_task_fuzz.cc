// What a worker takes from its queues, and the splitter from the queue of dead letters: chunk
// tasks, cancel notices.
//
// The bytes are taken twice: as a body, and as the values of the fields of one, since mutations of
// a body seldom get past its lengths and never past its checksum.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>

#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/splitter/chunk_cutter.h"
#include "services/worker/cancel_book.h"
#include "services/worker/task_check.h"
#include "tests/fuzz/check.h"
#include "unbraid/internal/v1/work.pb.h"

namespace {

using unbraid::base::SeparationId;
using unbraid::internal::v1::ChunkTask;

unbraid::model::Package MakePackage() {
  unbraid::model::Package package;
  package.name = "tiny";
  package.sha256 = "00";
  package.channels = 2;
  package.window_frames = 8;
  package.overlap_frames = 4;
  package.stems = {"vocals", "drums", "bass", "other"};
  return package;
}

// A task that passes must be one that can be computed without looking again.
void CheckTask(const ChunkTask& task) {
  static const auto* const package = new unbraid::model::Package(MakePackage());
  const absl::Status status = unbraid::worker::CheckTask(task, *package);
  if (!status.ok()) {
    UNBRAID_FUZZ_CHECK(!unbraid::base::ReasonOf(status).empty());
    return;
  }
  UNBRAID_FUZZ_CHECK(task.channels() == 1 || task.channels() == 2);
  UNBRAID_FUZZ_CHECK(task.samples().size() ==
                     static_cast<size_t>(task.channels()) * 8 * sizeof(float));
  UNBRAID_FUZZ_CHECK(task.keep_offset() >= 0 && task.keep_frames() >= 1);
  UNBRAID_FUZZ_CHECK(task.keep_offset() + task.keep_frames() <= 8);
  UNBRAID_FUZZ_CHECK(task.track_offset() >= 0 && task.track_offset() <= 8);
  for (const int stem : task.stem_indexes()) UNBRAID_FUZZ_CHECK(stem >= 0 && stem < 4);
}

// The place in the track that a dead letter names.
void CheckDeadLetter(const ChunkTask& task) {
  unbraid::splitter::Job job;
  job.open.set_window_frames(262'144);
  job.open.set_overlap_frames(41'644);
  job.open.set_model_rate_hz(44'100);
  job.prepared.model_frames = 44'100 * int64_t{3600} * 4;
  (void)unbraid::splitter::ChunkSpanText(job, task.chunk_index());
}

void CheckNotice(const std::string& body) {
  constexpr size_t kCapacity = 4;
  static auto* const book = new unbraid::worker::CancelBook(kCapacity);
  unbraid::internal::v1::CancelNotice notice;
  if (!notice.ParseFromString(body)) return;
  const SeparationId separation(notice.separation_id());
  book->Add(separation, notice.attempt());
  UNBRAID_FUZZ_CHECK(book->HasEnded(separation, notice.attempt()));
  UNBRAID_FUZZ_CHECK(book->size() <= kCapacity);
}

ChunkTask TaskOf(FuzzedDataProvider values) {
  ChunkTask task;
  task.set_model("tiny");
  task.set_model_sha256("00");
  task.set_chunk_index(values.ConsumeIntegral<int64_t>());
  task.set_channels(values.ConsumeBool() ? values.ConsumeIntegralInRange(0, 3)
                                         : values.ConsumeIntegral<int32_t>());
  task.set_window_frames(values.ConsumeBool() ? 8 : values.ConsumeIntegral<int64_t>());
  task.set_keep_offset(values.ConsumeBool() ? values.ConsumeIntegralInRange<int64_t>(-1, 9)
                                            : values.ConsumeIntegral<int64_t>());
  task.set_keep_frames(values.ConsumeBool() ? values.ConsumeIntegralInRange<int64_t>(-1, 9)
                                            : values.ConsumeIntegral<int64_t>());
  task.set_track_offset(values.ConsumeBool() ? values.ConsumeIntegralInRange<int64_t>(-1, 9)
                                             : values.ConsumeIntegral<int64_t>());
  task.set_mean(values.ConsumeFloatingPoint<double>());
  task.set_scale(values.ConsumeFloatingPoint<double>());
  for (int stems = values.ConsumeIntegralInRange(0, 5); stems > 0; --stems) {
    task.add_stem_indexes(values.ConsumeIntegralInRange(-1, 4));
  }
  const auto bytes = values.ConsumeRemainingBytes<char>();
  task.set_samples(bytes.data(), bytes.size());
  // What is missing is made up, for few inputs are as long as the window.
  if (task.channels() == 1 || task.channels() == 2) {
    task.mutable_samples()->resize(static_cast<size_t>(task.channels()) * 8 * sizeof(float));
  }
  task.set_samples_crc32c(unbraid::base::Crc32c(task.samples()));
  return task;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  CheckNotice(body);
  ChunkTask task;
  if (task.ParseFromString(body)) {
    CheckTask(task);
    CheckDeadLetter(task);
  }
  task = TaskOf(FuzzedDataProvider(data, size));
  CheckTask(task);
  CheckDeadLetter(task);
  return 0;
}
