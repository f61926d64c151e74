#ifndef UNBRAID_SERVICES_COMMON_AMQP_BACKOFF_H_
#define UNBRAID_SERVICES_COMMON_AMQP_BACKOFF_H_

#include <random>

#include "absl/time/time.h"

namespace unbraid::amqp {

// Pauses between attempts: doubling from `min` to `max`, each shortened by up to half at random, so
// that many clients do not come back at once. Not thread-safe.
class Backoff {
 public:
  Backoff(absl::Duration min, absl::Duration max, unsigned seed = std::random_device()());

  // The pause before the next attempt.
  absl::Duration Next();

  // After a success.
  void Reset() { next_ = min_; }

 private:
  const absl::Duration min_;
  const absl::Duration max_;
  absl::Duration next_;
  std::minstd_rand random_;
};

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_BACKOFF_H_
