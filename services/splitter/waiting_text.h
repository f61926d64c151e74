#ifndef UNBRAID_SERVICES_SPLITTER_WAITING_TEXT_H_
#define UNBRAID_SERVICES_SPLITTER_WAITING_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/splitter/broker.h"

namespace unbraid::splitter {

// What is amiss with the broker, as a sentence for people; empty when nothing is. Pure.
std::string BrokerText(const BrokerState& broker);

// What a separation of `model` waits for, as a sentence for people; empty when nothing is amiss.
// `chunks` is the model's queue, or why it could not be looked at. Pure.
std::string WaitingText(const BrokerState& broker, const absl::StatusOr<QueueCounts>& chunks,
                        const std::string& model);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_WAITING_TEXT_H_
