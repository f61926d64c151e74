#include "services/worker/pipeline.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::worker {
namespace {

constexpr int kWarmUps = 2;

}  // namespace

Pipeline::Pipeline(std::unique_ptr<Executor> executor, int most_windows,
                   std::function<void(const absl::Status&, int)> out_of_memory)
    : executor_(std::move(executor)),
      most_windows_(most_windows),
      out_of_memory_(std::move(out_of_memory)),
      limit_(most_windows) {}

absl::Status Pipeline::WarmUp() {
  if (most_windows_ == 1) return absl::OkStatus();
  const std::vector<float> silence(static_cast<size_t>(most_windows_) *
                                   geometry().window_samples());
  std::vector<int> all(static_cast<size_t>(geometry().stems));
  std::iota(all.begin(), all.end(), 0);
  for (int i = 0; i < kWarmUps; ++i) {
    const absl::Status computed = Run(silence, all).status();
    if (absl::IsInternal(computed)) {
      return absl::InvalidArgumentError(absl::StrCat("the model cannot compute ", most_windows_,
                                                     " windows at once: ", computed.message(),
                                                     "; lower --batch"));
    }
    UNBRAID_RETURN_IF_ERROR(computed);
  }
  return absl::OkStatus();
}

Footprint Pipeline::footprint() const {
  Footprint need = executor_->footprint();
  need.working_bytes *= most_windows_;
  return need;
}

int Pipeline::WindowsOf(absl::Span<const float> samples) const {
  return static_cast<int>(samples.size() / geometry().window_samples());
}

bool Pipeline::MayBegin(const Batch& batch) const {
  // One that waits has all later ones wait with it: it will need the device for itself.
  const bool some_wait = !batches_.empty() && batches_.back().slot == kNoSlot;
  return !some_wait && batches_.size() < static_cast<size_t>(depth()) &&
         WindowsOf(batch.windows) <= limit_.now();
}

int Pipeline::FreeSlot() const {
  int slot = 0;
  const auto taken = [&slot](const Batch& batch) { return batch.slot == slot; };
  while (std::any_of(batches_.begin(), batches_.end(), taken)) ++slot;
  return slot;
}

void Pipeline::Begin(absl::Span<const float> windows, absl::Span<const int> wanted) {
  Batch batch = {windows, wanted, kNoSlot, absl::OkStatus()};
  if (MayBegin(batch)) {
    batch.slot = FreeSlot();
    batch.begun = Start(batch.slot, windows, wanted);
    if (absl::IsResourceExhausted(batch.begun)) {
      OnOutOfMemory(batch.begun, WindowsOf(windows));
      batch.slot = kNoSlot;
    }
  }
  batches_.push_back(std::move(batch));
}

absl::StatusOr<absl::Span<const float>> Pipeline::End() {
  const Batch batch = std::move(batches_.front());
  batches_.pop_front();
  if (batch.slot == kNoSlot) return RunInParts(batch.windows, batch.wanted);
  UNBRAID_RETURN_IF_ERROR(batch.begun);
  absl::StatusOr<absl::Span<const float>> result = executor_->Await(batch.slot);
  if (absl::IsResourceExhausted(result.status())) {
    OnOutOfMemory(result.status(), WindowsOf(batch.windows));
    return RunInParts(batch.windows, batch.wanted);
  }
  if (result.ok()) limit_.OnComputed();
  return result;
}

absl::StatusOr<absl::Span<const float>> Pipeline::Run(absl::Span<const float> windows,
                                                      absl::Span<const int> wanted) {
  return RunInParts(windows, wanted);
}

absl::Status Pipeline::Start(int slot, absl::Span<const float> windows,
                             absl::Span<const int> wanted) {
  UNBRAID_RETURN_IF_ERROR(executor_->Upload(slot, windows));
  UNBRAID_RETURN_IF_ERROR(executor_->Compute(slot, wanted));
  return executor_->Download(slot);
}

absl::StatusOr<absl::Span<const float>> Pipeline::RunIn(int slot, absl::Span<const float> windows,
                                                        absl::Span<const int> wanted) {
  UNBRAID_RETURN_IF_ERROR(Start(slot, windows, wanted));
  return executor_->Await(slot);
}

absl::StatusOr<absl::Span<const float>> Pipeline::RunInParts(absl::Span<const float> windows,
                                                             absl::Span<const int> wanted) {
  const size_t samples = geometry().window_samples();
  const int all = WindowsOf(windows);
  const int slot = FreeSlot();
  bool released = false;  // a lack of memory was answered by giving back what was kept for later
  joined_.clear();
  for (int done = 0; done < all;) {
    const int part = std::min(limit_.now(), all - done);
    const auto result = RunIn(
        slot,
        windows.subspan(static_cast<size_t>(done) * samples, static_cast<size_t>(part) * samples),
        wanted);
    if (absl::IsResourceExhausted(result.status())) {
      OnOutOfMemory(result.status(), part);
      if (part == 1 && released) return result.status();
      released = true;
      continue;
    }
    UNBRAID_RETURN_IF_ERROR(result.status());
    limit_.OnComputed();
    if (part == all) return result;
    joined_.insert(joined_.end(), result->begin(), result->end());
    done += part;
    released = false;
  }
  return absl::MakeConstSpan(joined_);
}

void Pipeline::OnOutOfMemory(const absl::Status& words, int windows) {
  limit_.OnOutOfMemory(windows);
  out_of_memory_(words, windows);
  executor_->ReleaseMemory();
}

}  // namespace unbraid::worker
