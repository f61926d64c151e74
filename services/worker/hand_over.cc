#include "services/worker/hand_over.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/ids.h"
#include "services/common/samples/beside.h"
#include "services/common/telemetry/log.h"
#include "services/worker/settlement.h"

namespace unbraid::worker {
namespace {

using internal::v1::ChunkResult;
using internal::v1::ChunkTask;

std::string MessageId(const ChunkResult& result) {
  const std::string chunk =
      absl::StrCat(result.separation_id(), ".", result.attempt(), ".", result.chunk_index(), ".");
  return result.has_stem() ? absl::StrCat(chunk, result.stem().stem_index()) : chunk + "failure";
}

}  // namespace

void HandOver::Take(const std::vector<Receipt>& receipts) {
  absl::MutexLock lock(&mutex_);
  in_hand_.insert(in_hand_.end(), receipts.begin(), receipts.end());
}

void HandOver::Send(const Receipt& receipt, const ChunkTask& task,
                    const ChunkProcessor::Results& results) {
  {
    // In one step: a chunk whose results are on their way is settled by their confirms alone.
    absl::MutexLock lock(&mutex_);
    ++unsettled_;
    in_hand_.erase(std::remove(in_hand_.begin(), in_hand_.end(), receipt), in_hand_.end());
  }
  const auto settlement = Settlement::Create(
      results.size(),
      [this, sent = Sent{receipt, base::SeparationId(task.separation_id()).ToString(),
                         task.chunk_index(), task.samples_object().uri()}](
          const absl::Status& outcome) { Settle(sent, outcome); });
  for (const ChunkResult& result : results) {
    BrokerLink::Outgoing outgoing = {task.assembler(), MessageId(result),
                                     result.SerializeAsString()};
    metrics_->sent_bytes().Increment(
        static_cast<double>(outgoing.body.size()) +
        static_cast<double>(result.stem().samples_object().size_bytes()));
    broker_->Publish(std::move(outgoing),
                     [this, settlement,
                      object = result.stem().samples_object().uri()](const absl::Status& status) {
                       // One whose fate is unknown may be in its queue.
                       if (objects_ != nullptr && !status.ok() && !absl::IsCancelled(status)) {
                         objects_->Remove(object);
                       }
                       settlement->Decide(status);
                     });
  }
}

void HandOver::LayAside(const ChunkTask& task, ChunkProcessor::Results* results) const {
  if (objects_ == nullptr || !task.has_samples_object()) return;
  const samples::Owner owner{task.assembler(), base::SeparationId(task.separation_id()),
                             task.attempt()};
  for (ChunkResult& result : *results) {
    if (!result.has_stem()) continue;
    const absl::Status laid = samples::LayAside(*objects_, owner, result.mutable_stem());
    if (laid.ok()) continue;
    telemetry::Warning("results travel in their messages, since they cannot be laid aside",
                       {{"separation", owner.separation.ToString()},
                        {"chunk", task.chunk_index()},
                        {"error", laid}});
    return;
  }
}

void HandOver::Settle(const Sent& sent, const absl::Status& outcome) {
  const Receipt& receipt = sent.receipt;
  if (outcome.ok()) {
    broker_->Ack(receipt.model, receipt.tag);
    if (objects_ != nullptr) objects_->Remove(sent.object);
  } else {
    telemetry::Warning(
        "gave a chunk back whose results could not be sent",
        {{"separation", sent.separation}, {"chunk", sent.chunk}, {"error", outcome}});
    metrics_->CountChunk("returned");
    // A result that is too large for the broker stays too large.
    broker_->Nack(receipt.model, receipt.tag, /*requeue=*/!absl::IsResourceExhausted(outcome));
  }
  absl::MutexLock lock(&mutex_);
  --unsettled_;
}

bool HandOver::AwaitSettled(absl::Duration timeout) {
  const auto settled = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return unsettled_ == 0; };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&settled), timeout);
}

void HandOver::GiveBack(absl::string_view why) {
  std::vector<Receipt> chunks;
  {
    absl::MutexLock lock(&mutex_);
    chunks.swap(in_hand_);
  }
  if (chunks.empty()) return;
  telemetry::Warning(absl::StrCat("gave back what was being computed: ", why),
                     {{"chunks", chunks.size()}});
  for (const Receipt& receipt : chunks) {
    metrics_->CountChunk("returned");
    broker_->Nack(receipt.model, receipt.tag, /*requeue=*/true);
  }
}

}  // namespace unbraid::worker
