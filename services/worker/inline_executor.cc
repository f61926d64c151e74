#include "services/worker/inline_executor.h"

#include <utility>

namespace unbraid::worker {

InlineExecutor::InlineExecutor(std::unique_ptr<Separator> separator)
    : separator_(std::move(separator)) {}

absl::Status InlineExecutor::Upload(int /*slot*/, absl::Span<const float> windows) {
  windows_ = windows;
  return absl::OkStatus();
}

absl::Status InlineExecutor::Compute(int /*slot*/, absl::Span<const int> wanted) {
  return separator_->Separate(windows_, wanted, &stems_);
}

absl::Status InlineExecutor::Download(int /*slot*/) { return absl::OkStatus(); }

absl::StatusOr<absl::Span<const float>> InlineExecutor::Await(int /*slot*/) {
  return absl::MakeConstSpan(stems_);
}

}  // namespace unbraid::worker
