#include "services/common/amqp/confirm_window.h"

#include <utility>

namespace unbraid::amqp {

void ConfirmWindow::Sent(Outgoing outgoing) {
  outgoing.returned = false;
  bytes_ += outgoing.message.body.size();
  sent_.emplace(++last_sequence_, std::move(outgoing));
}

void ConfirmWindow::Returned(const std::string& message_id) {
  for (auto& [sequence, outgoing] : sent_) {
    if (outgoing.message.message_id != message_id || outgoing.returned) continue;
    outgoing.returned = true;
    ++outgoing.returns;
    return;
  }
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
