#include "services/common/base/executor.h"

#include <pthread.h>

#include <limits>
#include <utility>

namespace unbraid::base {
namespace {

constexpr size_t kMaxThreadName = 15;  // pthread_setname_np refuses longer names

}  // namespace

Executor::Executor(std::string name, int threads, size_t capacity)
    : name_(name.substr(0, kMaxThreadName)), capacity_(capacity) {
  absl::MutexLock lock(&mutex_);
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), name_.c_str());
  }
}

Executor::~Executor() { Stop(); }

bool Executor::TryPost(std::function<void()> task) { return Enqueue(std::move(task), capacity_); }

bool Executor::Post(std::function<void()> task) {
  return Enqueue(std::move(task), std::numeric_limits<size_t>::max());
}

bool Executor::Enqueue(std::function<void()> task, size_t bound) {
  absl::MutexLock lock(&mutex_);
  if (stopping_ || tasks_.size() >= bound) return false;
  tasks_.push_back(std::move(task));
  return true;
}

void Executor::Stop() {
  std::vector<std::thread> threads;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void Executor::Run() {
  while (true) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](Executor* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) {
            return self->stopping_ || !self->tasks_.empty();
          },
          this));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace unbraid::base
