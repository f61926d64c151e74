#include "services/common/base/places.h"

#include <catch2/catch.hpp>

namespace unbraid::base {
namespace {

TEST_CASE("there are so many places, and each is free again when its holder goes") {
  Places places(2);
  auto first = places.Take();
  const auto second = places.Take();
  REQUIRE(first != nullptr);
  REQUIRE(second != nullptr);
  CHECK(places.Take() == nullptr);
  CHECK(places.Take() == nullptr);
  const auto copy = first;
  first.reset();
  CHECK(places.Take() == nullptr);  // the copy has it
}

TEST_CASE("a place that was given back is taken again") {
  Places places(1);
  for (int i = 0; i < 3; ++i) CHECK(places.Take() != nullptr);
}

}  // namespace
}  // namespace unbraid::base
