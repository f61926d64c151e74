#ifndef UNBRAID_SERVICES_WORKER_BROKER_LINK_H_
#define UNBRAID_SERVICES_WORKER_BROKER_LINK_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "services/worker/chunk_queue.h"

namespace unbraid::worker {

// What the inference thread needs of the broker; a fake one in tests. Thread-safe.
class BrokerLink {
 public:
  virtual ~BrokerLink() = default;

  // One result on its way to an assembler.
  struct Outgoing {
    std::string assembler;
    std::string message_id;
    std::string body;
  };

  // Hands a result over; waits while too many are on their way. `done` is called exactly once, on
  // any thread: OK when the broker has it safely.
  virtual void Publish(Outgoing result, std::function<void(absl::Status)> done) = 0;

  // Done with a chunk.
  virtual void Ack(size_t model, amqp::DeliveryTag tag) = 0;

  // Gives a chunk back, or, without `requeue`, sets it aside as unusable.
  virtual void Nack(size_t model, amqp::DeliveryTag tag, bool requeue) = 0;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_BROKER_LINK_H_
