#include "clients/cli/retry.h"

#include <catch2/catch.hpp>

#include "services/common/base/shutdown.h"
#include "services/common/base/status.h"

namespace unbraid::cli {
namespace {

struct Fixture {
  // Interrupt's thread waits for signals that nobody else takes.
  Fixture() { base::PrepareSignals(); }
};

TEST_CASE_METHOD(Fixture, "tries again when the gateway is away") {
  Interrupt interrupt;
  RetryPolicy retry(&interrupt, absl::Minutes(1));
  CHECK(retry.Next(absl::UnavailableError("away")).ok());
}

// Found by chaos: the assembler stood still for longer than a call may take.
TEST_CASE_METHOD(Fixture, "tries again what was not answered in time") {
  Interrupt interrupt;
  RetryPolicy retry(&interrupt, absl::Minutes(1));
  CHECK(retry.Next(absl::DeadlineExceededError("Deadline Exceeded")).ok());
  RetryPolicy none(&interrupt, absl::ZeroDuration());
  CHECK(none.Next(absl::DeadlineExceededError("slow")).code() ==
        absl::StatusCode::kDeadlineExceeded);
}

TEST_CASE_METHOD(Fixture, "tries again what a service had no time for, but not what has no room") {
  Interrupt interrupt;
  RetryPolicy retry(&interrupt, absl::Minutes(1));
  const auto code = absl::StatusCode::kResourceExhausted;
  CHECK(retry.Next(base::Error(code, "OVERLOADED", "Try again soon.")).ok());
  const absl::Status full = base::Error(code, "DISK_FULL", "The disk is full.");
  CHECK(retry.Next(full) == full);
}

// Found by chaos: a download that met a gateway in its last moment was told CANCELLED, and given
// up.
TEST_CASE_METHOD(Fixture, "tries again when a gateway that ends breaks a call off") {
  Interrupt interrupt;
  RetryPolicy retry(&interrupt, absl::Minutes(1));
  CHECK(retry.Next(absl::CancelledError("CANCELLED")).ok());
}

TEST_CASE_METHOD(Fixture,
                 "gives up a call that is broken off again and again as one that found nobody") {
  Interrupt interrupt;
  RetryPolicy retry(&interrupt, absl::ZeroDuration());
  CHECK(retry.Next(absl::CancelledError("CANCELLED")).code() == absl::StatusCode::kUnavailable);
}

TEST_CASE_METHOD(Fixture,
                 "takes for an answer what the service calls cancelled, and every other error") {
  Interrupt interrupt;
  RetryPolicy retry(&interrupt, absl::Minutes(1));
  const absl::Status cancelled = base::Error(absl::StatusCode::kCancelled, "SEPARATION_CANCELLED",
                                             "separations/1 was cancelled.");
  CHECK(retry.Next(cancelled) == cancelled);
  CHECK(retry.Next(absl::NotFoundError("no")).code() == absl::StatusCode::kNotFound);
}

TEST_CASE_METHOD(Fixture, "does not try again after Ctrl-C") {
  Interrupt interrupt;
  interrupt.Request();
  RetryPolicy retry(&interrupt, absl::Minutes(1));
  CHECK(retry.Next(absl::CancelledError("CANCELLED")).code() == absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace unbraid::cli
