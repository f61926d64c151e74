#ifndef UNBRAID_SERVICES_COMMON_AMQP_INCOMING_H_
#define UNBRAID_SERVICES_COMMON_AMQP_INCOMING_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "services/common/amqp/message.h"
#include "services/common/amqp/rabbitmq_c.h"

namespace unbraid::amqp {

// What the broker sends by itself. All are called on the thread of the connection; an empty one is
// skipped.
struct Events {
  std::function<void(Delivery)> delivered;
  // The message of this sequence number found no queue. Its ack follows.
  std::function<void(uint64_t sequence)> returned;
  std::function<void(uint64_t sequence, bool multiple)> acked;
  std::function<void(uint64_t sequence, bool multiple)> nacked;
  std::function<void(bool blocked, std::string reason)> blocked;
  std::function<void()> consumer_cancelled;  // the queue is gone
};

// Private to this folder: puts frames together to events. A message arrives as a method frame, a
// header frame and body frames. Copies everything that it keeps, so the library's memory can be
// released after every frame. Not thread-safe.
class Incoming {
 public:
  // An error when the frame ends the connection or the channel.
  absl::Status OnFrame(const amqp_frame_t& frame, const Events& events);

 private:
  struct Arrival {
    bool is_return = false;
    std::string correlation_id;
    uint64_t body_bytes = 0;
    Delivery delivery;
  };

  absl::Status OnMethod(const amqp_method_t& method, const Events& events);
  void Begin(const amqp_method_t& method);
  void OnHeader(const amqp_frame_t& frame);
  void Finish(const Events& events);

  std::optional<Arrival> arrival_;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_INCOMING_H_
