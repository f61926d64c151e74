#include "services/common/amqp/backoff.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace unbraid::amqp {
namespace {

constexpr absl::Duration kMin = absl::Milliseconds(100);
constexpr absl::Duration kMax = absl::Seconds(10);

TEST_CASE("pauses double up to the limit, each shortened by up to half") {
  Backoff backoff(kMin, kMax, /*seed=*/1);
  absl::Duration whole = kMin;
  for (int i = 0; i < 20; ++i) {
    const absl::Duration pause = backoff.Next();
    CHECK(pause >= whole / 2);
    CHECK(pause <= whole);
    whole = std::min(whole * 2, kMax);
  }
}

TEST_CASE("a success begins with the shortest pause again") {
  Backoff backoff(kMin, kMax, /*seed=*/1);
  for (int i = 0; i < 5; ++i) backoff.Next();
  backoff.Reset();
  CHECK(backoff.Next() <= kMin);
}

TEST_CASE("two clients do not come back at the same moment") {
  Backoff one(kMin, kMax, /*seed=*/1);
  Backoff two(kMin, kMax, /*seed=*/2);
  CHECK(one.Next() != two.Next());
}

}  // namespace
}  // namespace unbraid::amqp
