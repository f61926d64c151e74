#ifndef UNBRAID_SERVICES_SPLITTER_WAITING_TEXT_H_
#define UNBRAID_SERVICES_SPLITTER_WAITING_TEXT_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "services/common/base/package_id.h"
#include "services/splitter/broker.h"

namespace unbraid::splitter {

// What is amiss with the broker, as a sentence for people; empty when nothing is. Pure.
std::string BrokerText(const BrokerState& broker);

// What a separation with `package` waits for, as a sentence for people; empty when nothing is
// amiss. `chunks` is the package's queue, or why it could not be looked at. `catalogue` is the
// package of that name that new separations get; nothing where there is none any more. Pure.
std::string WaitingText(const BrokerState& broker, const absl::StatusOr<QueueCounts>& chunks,
                        const base::PackageId& package,
                        const std::optional<base::PackageId>& catalogue);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_WAITING_TEXT_H_
