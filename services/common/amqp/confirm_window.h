#ifndef UNBRAID_SERVICES_COMMON_AMQP_CONFIRM_WINDOW_H_
#define UNBRAID_SERVICES_COMMON_AMQP_CONFIRM_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/common/amqp/message.h"

namespace unbraid::amqp {

// A message and whom to tell what became of it.
struct Outgoing {
  Message message;
  std::function<void(absl::Status)> done;
  int returns = 0;        // how often no queue wanted it
  bool returned = false;  // in its present flight
};

// Messages that were sent on one channel and are not confirmed yet. The broker numbers them from 1;
// acks and nacks may come out of order and name many at once; a return comes before the ack of the
// same message. Plain data, not thread-safe.
class ConfirmWindow {
 public:
  // What a confirm decided.
  struct Outcome {
    std::vector<Outgoing> confirmed;  // the broker has them
    std::vector<Outgoing> refused;    // nacked: send again later
    std::vector<Outgoing> unwanted;   // acked, but no queue took them
  };

  // Notes a message as sent.
  void Sent(Outgoing outgoing);

  // The broker gave a message back; it is found by its id.
  void Returned(const std::string& message_id);

  Outcome Acked(uint64_t sequence, bool multiple);
  Outcome Nacked(uint64_t sequence, bool multiple);

  // The channel is gone: everything that is not confirmed, in the order of sending. Numbering
  // begins anew.
  std::vector<Outgoing> TakeAll();

  size_t messages() const { return sent_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  std::vector<Outgoing> Take(uint64_t sequence, bool multiple);

  std::map<uint64_t, Outgoing> sent_;
  uint64_t last_sequence_ = 0;
  size_t bytes_ = 0;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_CONFIRM_WINDOW_H_
