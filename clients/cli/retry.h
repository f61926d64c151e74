#ifndef UNBRAID_CLIENTS_CLI_RETRY_H_
#define UNBRAID_CLIENTS_CLI_RETRY_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "clients/cli/interrupt.h"

namespace unbraid::cli {

// Whether a call that failed so may succeed later: the gateway is away, did not answer in time,
// broke the call off because it ends, or somebody behind it has too much to do for the moment.
bool MayTryAgain(const absl::Status& failure);

// How long to go on when the gateway does not answer. Everything that is tried again is idempotent:
// uploads resume at the committed size, a separation is made of its content, watching and reading
// change nothing.
class RetryPolicy {
 public:
  // Gives up after `patience` without success.
  RetryPolicy(const Interrupt* interrupt, absl::Duration patience)
      : interrupt_(interrupt), patience_(patience) {}

  // After a failure: OK means try again now (the pause is over); otherwise the error to give up
  // with. Tried again is only what MayTryAgain.
  absl::Status Next(const absl::Status& failure);

  // After any success.
  void Reset();

 private:
  const Interrupt* const interrupt_;
  const absl::Duration patience_;
  absl::Time first_failure_ = absl::InfiniteFuture();
  absl::Duration pause_ = absl::ZeroDuration();
};

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_RETRY_H_
