#ifndef UNBRAID_SERVICES_SPLITTER_DEAD_LETTERS_H_
#define UNBRAID_SERVICES_SPLITTER_DEAD_LETTERS_H_

#include <memory>

#include "absl/synchronization/notification.h"
#include "services/common/amqp/consumer.h"
#include "services/common/base/executor.h"
#include "services/splitter/failure_reporter.h"
#include "services/splitter/job_store.h"

namespace unbraid::splitter {

// Reads the queue of chunks that were given out too often, and has the assembler fail their
// separations. A chunk is acknowledged once the assembler knows, so after a crash it comes again;
// that changes nothing, since a separation fails only once. Thread-safe.
class DeadLetters {
 public:
  // Nothing is owned; `calls` must be stopped before this is destroyed.
  DeadLetters(const amqp::ConnectionOptions& options, const amqp::Topology& topology,
              const JobStore* jobs, FailureReporter* failures, base::Executor* calls);

  // Takes no more. May be called twice.
  void Stop() { consumer_->Stop(); }

 private:
  void Handle(const amqp::Delivery& delivery);

  const JobStore* const jobs_;
  FailureReporter* const failures_;
  base::Executor* const calls_;
  std::unique_ptr<amqp::Consumer> consumer_;
  absl::Notification ready_;  // consumer_ is set
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_DEAD_LETTERS_H_
