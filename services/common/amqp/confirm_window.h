#ifndef UNBRAID_SERVICES_COMMON_AMQP_CONFIRM_WINDOW_H_
#define UNBRAID_SERVICES_COMMON_AMQP_CONFIRM_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/amqp/message.h"

namespace unbraid::amqp {

// A message and whom to tell what became of it.
struct Outgoing {
  Message message;
  std::function<void(absl::Status)> done;
  uint64_t ticket = 0;    // of the publisher, for Flush
  int returns = 0;        // how often no queue wanted it
  bool returned = false;  // in its present flight
  absl::Time sent_at = absl::InfiniteFuture();
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

  // The number that the next message will have.
  uint64_t next_sequence() const { return last_sequence_ + 1; }

  // Notes a message as sent.
  void Sent(Outgoing outgoing, absl::Time now);

  // Since when the oldest message waits for its confirm; InfiniteFuture when none does.
  absl::Time oldest() const;

  // The broker gave a message back. Unknown numbers are ignored, here and below.
  void Returned(uint64_t sequence);

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
