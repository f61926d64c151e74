#include "services/splitter/waiting_text.h"

#include "absl/strings/str_cat.h"

namespace unbraid::splitter {
namespace {

std::string NoWorkerText(const base::PackageId& package,
                         const std::optional<base::PackageId>& catalogue) {
  const std::string text = absl::StrCat("no worker for model ", package.name,
                                        " is connected that has package ", package.short_hash());
  if (catalogue == package) return text;
  if (!catalogue) {
    return absl::StrCat(text, "; the model was removed since this separation was created: start a ",
                        "worker that still has it, or cancel the separation");
  }
  return absl::StrCat(text, "; the model was replaced by package ", catalogue->short_hash(),
                      " since this separation was created: start a worker with the older package, ",
                      "or cancel the separation and create it again");
}

}  // namespace

std::string BrokerText(const BrokerState& broker) {
  if (broker.connected && !broker.blocked) return "";
  return absl::StrCat(broker.connected ? "the message broker takes no messages"
                                       : "the message broker cannot be reached",
                      broker.message.empty() ? "" : ": ", broker.message);
}

std::string WaitingText(const BrokerState& broker, const absl::StatusOr<QueueCounts>& chunks,
                        const base::PackageId& package,
                        const std::optional<base::PackageId>& catalogue) {
  if (!broker.connected) return BrokerText({});  // the cause changes with each attempt
  if (broker.blocked) return BrokerText(broker);
  if (chunks.ok() && chunks->consumers == 0) return NoWorkerText(package, catalogue);
  return "";
}

}  // namespace unbraid::splitter
