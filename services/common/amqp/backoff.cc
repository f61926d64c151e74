#include "services/common/amqp/backoff.h"

#include <algorithm>

namespace unbraid::amqp {

Backoff::Backoff(absl::Duration min, absl::Duration max, unsigned seed)
    : min_(min), max_(max), next_(min), random_(seed) {}

absl::Duration Backoff::Next() {
  constexpr double kLeastShare = 0.5;
  const absl::Duration whole = next_;
  next_ = std::min(next_ * 2, max_);
  return whole * std::uniform_real_distribution<double>(kLeastShare, 1.0)(random_);
}

}  // namespace unbraid::amqp
