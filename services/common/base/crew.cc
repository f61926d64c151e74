#include "services/common/base/crew.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"

namespace unbraid::base {
namespace {

int Helpers(int threads) {
  const auto processors = static_cast<int>(std::thread::hardware_concurrency());
  return std::max(std::min(threads, processors) - 1, 0);
}

}  // namespace

Crew::Crew(int threads) : helpers_(Helpers(threads)) {}

absl::Status Crew::Run(int count, const std::function<absl::Status(int)>& part) {
  std::vector<absl::Status> statuses(static_cast<size_t>(count));
  std::atomic<int> next = 0;
  const auto work = [&] {
    for (int i = next++; i < count; i = next++) statuses[static_cast<size_t>(i)] = part(i);
  };
  const int helpers = std::clamp(count - 1, 0, helpers_);
  if (helpers > 0 && executor_ == nullptr) executor_ = std::make_unique<Executor>("crew", helpers_);
  absl::BlockingCounter done(helpers);
  for (int i = 0; i < helpers; ++i) {
    executor_->Post([&] {
      work();
      done.DecrementCount();
    });
  }
  work();
  done.Wait();
  absl::Status first;
  for (const absl::Status& status : statuses) first.Update(status);
  return first;
}

}  // namespace unbraid::base
