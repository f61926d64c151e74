#ifndef UNBRAID_SERVICES_ASSEMBLER_RESULT_CONSUMER_H_
#define UNBRAID_SERVICES_ASSEMBLER_RESULT_CONSUMER_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/assembler/engine.h"
#include "services/common/amqp/consumer.h"
#include "services/common/base/bounded_queue.h"
#include "services/common/base/executor.h"

namespace unbraid::assembler {

// Takes results from the assembler's queue to the engine, one after the other, and acknowledges
// each when the engine has it safely. At-least-once: a duplicate is ignored by the engine. What is
// no result is logged and dropped, since it never can become one. While the disk is full nothing is
// acknowledged, so the broker keeps the results.
class ResultConsumer {
 public:
  // `engine` is only used on `executor`.
  ResultConsumer(const amqp::ConnectionOptions& broker, const std::string& name, Engine* engine,
                 base::Executor* executor);
  ~ResultConsumer();

  amqp::ConnectionState state() const { return consumer_->state(); }
  bool consuming() const { return consumer_->consuming(); }

  // Takes no more results, finishes the one at hand. May be called twice.
  void Stop();

 private:
  void Run();
  void Handle(const amqp::Delivery& delivery);
  absl::Status Deliver(const Result& result);

  Engine* const engine_;
  base::Executor* const executor_;
  base::BoundedQueue<amqp::Delivery> deliveries_;

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::unique_ptr<amqp::Consumer> consumer_;
  std::thread thread_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_RESULT_CONSUMER_H_
