#ifndef UNBRAID_SERVICES_SPLITTER_GIVEN_OUT_H_
#define UNBRAID_SERVICES_SPLITTER_GIVEN_OUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/base/ids.h"

namespace unbraid::splitter {

// Which chunks of a separation the broker had when this process ended in good order. The next one
// does not send them again: they are done, or at the broker, or with a worker. Should the broker
// lose them, the separation stalls, and they are sent again like any that are lost.
struct GivenOut {
  base::SeparationId id;
  int32_t attempt = 0;
  std::vector<bool> chunks;
};

// Leaves a note in the splitter's data folder.
absl::Status LeaveGivenOut(const std::string& folder, const std::vector<GivenOut>& all);

// Takes the note that was left, if there is one; it is gone afterwards.
absl::StatusOr<std::vector<GivenOut>> TakeGivenOut(const std::string& folder);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_GIVEN_OUT_H_
