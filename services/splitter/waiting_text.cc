#include "services/splitter/waiting_text.h"

#include "absl/strings/str_cat.h"

namespace unbraid::splitter {

std::string WaitingText(const BrokerState& broker, const absl::StatusOr<QueueCounts>& chunks,
                        const std::string& model) {
  if (!broker.connected) return "the message broker cannot be reached";
  if (broker.blocked) {
    return absl::StrCat("the message broker takes no messages", broker.message.empty() ? "" : ": ",
                        broker.message);
  }
  if (chunks.ok() && chunks->consumers == 0) {
    return absl::StrCat("no worker for model ", model, " is connected");
  }
  return "";
}

}  // namespace unbraid::splitter
