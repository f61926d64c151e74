#ifndef UNBRAID_BENCH_AMQP_PLAIN_H_
#define UNBRAID_BENCH_AMQP_PLAIN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "services/common/amqp/message.h"
#include "services/common/amqp/options.h"

namespace unbraid::bench {

// One connection with one channel, as in the examples of rabbitmq-c: one thread, blocking, and no
// answer to anything that goes wrong but to end the program.
class PlainConnection {
 public:
  explicit PlainConnection(const amqp::ConnectionOptions& options);
  ~PlainConnection();
  PlainConnection(const PlainConnection&) = delete;
  PlainConnection& operator=(const PlainConnection&) = delete;

  // Publishes all of them, persistent and mandatory, with at most `window` unconfirmed, and returns
  // when the last one is confirmed.
  void Publish(const std::vector<amqp::Message>& messages, size_t window);

  // Takes and acknowledges so many messages; gives the sum of their bytes.
  size_t Consume(const std::string& queue, int prefetch, size_t count);

  void DeleteQueue(const std::string& queue);

 private:
  // Waits for confirms; gives how many messages they stand for.
  size_t AwaitConfirm();

  void* const handle_;  // amqp_connection_state_t
  uint64_t confirmed_ = 0;
};

}  // namespace unbraid::bench

#endif  // UNBRAID_BENCH_AMQP_PLAIN_H_
