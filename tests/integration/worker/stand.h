#ifndef UNBRAID_TESTS_INTEGRATION_WORKER_STAND_H_
#define UNBRAID_TESTS_INTEGRATION_WORKER_STAND_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/amqp/consumer.h"
#include "services/common/amqp/publisher.h"
#include "services/common/amqp/topology.h"
#include "services/common/model/package.h"
#include "tests/support/broker.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::worker {

// A broker, and around it what splitter and assembler would do for one model: sends tasks, collects
// results. Thread-safe but for the broker.
class Stand {
 public:
  // Fails the test when something cannot be started.
  explicit Stand(const std::string& package_folder);

  test_support::Broker& broker() { return *broker_; }
  const model::Package& package() const { return package_; }
  // Of its chunks.
  std::string queue() const { return amqp::ChunkQueue(package_.id()); }

  // A task for all stems of the model whose window is one value, but for the first sample.
  internal::v1::ChunkTask Task(int64_t chunk, int channels, float first_sample) const;
  // Returns when the broker has it.
  void Send(const internal::v1::ChunkTask& task);
  // A task for another package of the same sizes, in that one's queue.
  void SendTo(const model::Package& other, internal::v1::ChunkTask task);
  void SendBody(const std::string& body);
  void Cancel(int64_t separation, int32_t attempt);

  // Waits until results or failures of so many chunks are complete.
  bool AwaitChunks(size_t chunks, absl::Duration timeout = absl::Seconds(60));

  // By (chunk, stem); a failure is stem -1. A duplicate must be the same bytes: it is checked.
  using Results = std::map<std::pair<int64_t, int>, internal::v1::ChunkResult>;
  Results results() const;
  // How many results came more than once with other samples than before.
  int contradictions() const;

  // Messages that wait in a queue.
  int64_t Ready(const std::string& queue) const;
  bool AwaitReady(const std::string& queue, int64_t count) const;

 private:
  void SendBody(const base::PackageId& package, const std::string& body);
  void OnResult(const amqp::Delivery& delivery);
  size_t CompleteChunks() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::unique_ptr<test_support::Broker> broker_;
  model::Package package_;
  amqp::ConnectionOptions options_;
  std::unique_ptr<amqp::Publisher> publisher_;

  mutable absl::Mutex mutex_;
  Results results_ ABSL_GUARDED_BY(mutex_);
  int contradictions_ ABSL_GUARDED_BY(mutex_) = 0;

  std::unique_ptr<amqp::Consumer> consumer_;  // after what its handler uses
};

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_INTEGRATION_WORKER_STAND_H_
