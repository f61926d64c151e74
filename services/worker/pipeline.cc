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

int Pipeline::FreeSlot(int held) const {
  int slot = 0;
  const auto taken = [&](const Batch& batch) { return batch.slot == slot || held == slot; };
  while (held == slot || std::any_of(batches_.begin(), batches_.end(), taken)) ++slot;
  return slot;
}

bool Pipeline::Fits(const Batch& batch, size_t before) const {
  return before < static_cast<size_t>(depth()) && WindowsOf(batch.windows) <= limit_.now();
}

void Pipeline::StartIn(int slot, Batch* batch) {
  batch->slot = slot;
  batch->begun = Start(slot, batch->windows, batch->wanted);
  if (!absl::IsResourceExhausted(batch->begun)) return;
  OnOutOfMemory(batch->begun, WindowsOf(batch->windows));
  batch->slot = kNoSlot;
}

void Pipeline::Begin(absl::Span<const float> windows, absl::Span<const int> wanted) {
  Batch batch = {windows, wanted, kNoSlot, absl::OkStatus(), std::nullopt};
  // One that waits has all later ones wait with it: it may need the device for itself.
  const bool some_wait = !batches_.empty() && batches_.back().slot == kNoSlot;
  if (!some_wait && Fits(batch, batches_.size())) StartIn(FreeSlot(), &batch);
  batches_.push_back(std::move(batch));
}

// Begins those that wait and fit by now, so that a lack of memory does not end all overlapping
// while there is always one that waits. What is in the slot `held` stays.
void Pipeline::Resume(int held) {
  for (size_t i = 0; i < batches_.size(); ++i) {
    Batch& batch = batches_[i];
    if (batch.slot != kNoSlot) continue;
    const int slot = FreeSlot(held);
    if (slot >= executor_->slots() || !Fits(batch, i)) return;
    StartIn(slot, &batch);
    if (batch.slot == kNoSlot) return;
  }
}

// Waits until nothing is on the device.
void Pipeline::Drain() {
  for (Batch& batch : batches_) {
    if (batch.slot == kNoSlot || !batch.begun.ok() || batch.ended.has_value()) continue;
    batch.ended = executor_->Await(batch.slot);
    if (!absl::IsResourceExhausted(batch.ended->status())) continue;
    batch.ended.reset();
    batch.slot = kNoSlot;
  }
}

Pipeline::Stems Pipeline::Outcome(const Batch& batch) {
  if (!batch.begun.ok()) return batch.begun;
  const Stems result = batch.ended.has_value() ? *batch.ended : executor_->Await(batch.slot);
  if (result.ok()) limit_.OnComputed();
  return result;
}

absl::StatusOr<absl::Span<const float>> Pipeline::End() {
  const Batch batch = std::move(batches_.front());
  batches_.pop_front();
  int slot = batch.slot;
  Stems result = absl::ResourceExhaustedError("it waited for its turn");
  if (slot != kNoSlot) {
    result = Outcome(batch);
    if (absl::IsResourceExhausted(result.status())) {
      OnOutOfMemory(result.status(), WindowsOf(batch.windows));
    }
  }
  if (absl::IsResourceExhausted(result.status())) {
    Drain();
    slot = FreeSlot();
    result = RunInParts(slot, batch.windows, batch.wanted);
  }
  if (result.ok()) Resume(slot);
  return result;
}

absl::StatusOr<absl::Span<const float>> Pipeline::Run(absl::Span<const float> windows,
                                                      absl::Span<const int> wanted) {
  Drain();
  return RunInParts(FreeSlot(), windows, wanted);
}

absl::Status Pipeline::Start(int slot, absl::Span<const float> windows,
                             absl::Span<const int> wanted) {
  UNBRAID_RETURN_IF_ERROR(executor_->Upload(slot, windows));
  UNBRAID_RETURN_IF_ERROR(executor_->Compute(slot, wanted));
  return executor_->Download(slot);
}

Pipeline::Stems Pipeline::RunIn(int slot, absl::Span<const float> windows,
                                absl::Span<const int> wanted) {
  UNBRAID_RETURN_IF_ERROR(Start(slot, windows, wanted));
  return executor_->Await(slot);
}

Pipeline::Stems Pipeline::RunInParts(int slot, absl::Span<const float> windows,
                                     absl::Span<const int> wanted) {
  const size_t samples = geometry().window_samples();
  const int all = WindowsOf(windows);
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
