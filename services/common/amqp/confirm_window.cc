#include "services/common/amqp/confirm_window.h"

#include <utility>

namespace unbraid::amqp {

void ConfirmWindow::Sent(Outgoing outgoing, absl::Time now) {
  outgoing.returned = false;
  outgoing.sent_at = now;
  bytes_ += outgoing.message.body.size();
  sent_.emplace(++last_sequence_, std::move(outgoing));
}

absl::Time ConfirmWindow::oldest() const {
  return sent_.empty() ? absl::InfiniteFuture() : sent_.begin()->second.sent_at;
}

void ConfirmWindow::Returned(uint64_t sequence) {
  const auto found = sent_.find(sequence);
  if (found == sent_.end()) return;
  found->second.returned = true;
  ++found->second.returns;
}

ConfirmWindow::Outcome ConfirmWindow::Acked(uint64_t sequence, bool multiple) {
  Outcome outcome;
  for (Outgoing& outgoing : Take(sequence, multiple)) {
    (outgoing.returned ? outcome.unwanted : outcome.confirmed).push_back(std::move(outgoing));
  }
  return outcome;
}

ConfirmWindow::Outcome ConfirmWindow::Nacked(uint64_t sequence, bool multiple) {
  Outcome outcome;
  outcome.refused = Take(sequence, multiple);
  return outcome;
}

std::vector<Outgoing> ConfirmWindow::TakeAll() {
  std::vector<Outgoing> taken = Take(last_sequence_, /*multiple=*/true);
  last_sequence_ = 0;
  return taken;
}

std::vector<Outgoing> ConfirmWindow::Take(uint64_t sequence, bool multiple) {
  std::vector<Outgoing> taken;
  auto first = multiple ? sent_.begin() : sent_.find(sequence);
  while (first != sent_.end() && first->first <= sequence) {
    bytes_ -= first->second.message.body.size();
    taken.push_back(std::move(first->second));
    first = sent_.erase(first);
  }
  return taken;
}

}  // namespace unbraid::amqp
