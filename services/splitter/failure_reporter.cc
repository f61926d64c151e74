#include "services/splitter/failure_reporter.h"

#include <utility>

#include "services/common/telemetry/log.h"

namespace unbraid::splitter {

void FailureReporter::Report(const std::string& owner,
                             const internal::v1::FailSeparationRequest& request,
                             std::function<void()> told) {
  telemetry::Warning("separation fails", {{"separation", std::to_string(request.separation_id())},
                                          {"reason", request.failure().reason()},
                                          {"detail", request.failure().message()}});
  Post({owner, request, std::move(told)});
}

void FailureReporter::Post(Entry entry) {
  // After Stop() of the executor nothing is told any more; see the class comment.
  (void)calls_->Post([this, entry = std::move(entry)] { Tell(entry); });
}

void FailureReporter::Tell(Entry entry) {
  const absl::Status status = assembler_->Fail(entry.owner, entry.request);
  if (status.ok() || absl::IsNotFound(status)) {
    if (entry.told) entry.told();
    return;
  }
  absl::MutexLock lock(&mutex_);
  waiting_.push_back(std::move(entry));
}

void FailureReporter::Tick() {
  std::vector<Entry> entries;
  {
    absl::MutexLock lock(&mutex_);
    entries.swap(waiting_);
  }
  for (Entry& entry : entries) Post(std::move(entry));
}

internal::v1::FailSeparationRequest MakeFailure(int64_t separation_id, int32_t attempt,
                                                const std::string& reason,
                                                const std::string& message) {
  internal::v1::FailSeparationRequest request;
  request.set_separation_id(separation_id);
  request.set_attempt(attempt);
  request.mutable_failure()->set_reason(reason);
  request.mutable_failure()->set_message(message);
  return request;
}

}  // namespace unbraid::splitter
