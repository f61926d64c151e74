#ifndef UNBRAID_SERVICES_COMMON_AMQP_MESSAGE_H_
#define UNBRAID_SERVICES_COMMON_AMQP_MESSAGE_H_

#include <cstdint>
#include <map>
#include <string>

namespace unbraid::amqp {

// A message on its way out: persistent, and mandatory unless told otherwise.
struct Message {
  std::string exchange;
  std::string routing_key;
  std::string body;
  // For receivers and logs; at most 255 bytes.
  std::string message_id;
  // False: a message that no queue wants is dropped by the broker (notices to whoever listens).
  bool mandatory = true;
};

// Names a delivery for Ack and Nack. It belongs to one connection; after a reconnect it means
// nothing.
struct DeliveryTag {
  uint64_t generation = 0;
  uint64_t value = 0;
};

// A message that came in. Delivery is at-least-once: the same message may come again.
struct Delivery {
  std::string body;
  std::string message_id;
  std::string routing_key;
  bool redelivered = false;
  // How many deliveries of it have failed, as quorum queues count; 0 where the broker does not say.
  int64_t delivery_count = 0;
  // Texts as they are, whole numbers in decimal; nested values are left out. A dead letter has
  // `x-first-death-reason` and `x-first-death-queue`.
  std::map<std::string, std::string> headers;
  DeliveryTag tag;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_MESSAGE_H_
