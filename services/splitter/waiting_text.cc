#include "services/splitter/waiting_text.h"

#include "absl/strings/str_cat.h"

namespace unbraid::splitter {

std::string BrokerText(const BrokerState& broker) {
  if (broker.connected && !broker.blocked) return "";
  return absl::StrCat(broker.connected ? "the message broker takes no messages"
                                       : "the message broker cannot be reached",
                      broker.message.empty() ? "" : ": ", broker.message);
}

std::string WaitingText(const BrokerState& broker, const absl::StatusOr<QueueCounts>& chunks,
                        const std::string& model) {
  if (!broker.connected) return BrokerText({});  // the cause changes with each attempt
  if (broker.blocked) return BrokerText(broker);
  if (chunks.ok() && chunks->consumers == 0) {
    return absl::StrCat("no worker for model ", model, " is connected");
  }
  return "";
}

}  // namespace unbraid::splitter
