#ifndef UNBRAID_SERVICES_COMMON_BASE_EXECUTOR_H_
#define UNBRAID_SERVICES_COMMON_BASE_EXECUTOR_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace unbraid::base {

// A fixed pool of threads for work that may block: disk, SQLite, waiting for a broker. gRPC's own
// threads hand such work over to it. Tasks start in the order in which they were posted.
// Thread-safe.
class Executor {
 public:
  // `capacity` bounds what TryPost lets wait.
  Executor(std::string name, int threads, size_t capacity = 1024);
  // Stops.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // For new work: false, and the task is not run, when `capacity` tasks wait already or after
  // Stop().
  [[nodiscard]] bool TryPost(std::function<void()> task);

  // For the next step of work that was let in before and has one step outstanding at a time (a
  // stream's next part), so that the number of streams is the bound. False only after Stop().
  bool Post(std::function<void()> task);

  // Runs what was posted, then ends the threads. May be called twice; not from a task.
  void Stop();

 private:
  void Run();
  bool Enqueue(std::function<void()> task, size_t bound);

  const std::string name_;
  const size_t capacity_;

  absl::Mutex mutex_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_EXECUTOR_H_
