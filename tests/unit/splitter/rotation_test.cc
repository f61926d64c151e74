#include "services/splitter/rotation.h"

#include <catch2/catch.hpp>

namespace unbraid::splitter {
namespace {

const base::SeparationId kLong(1);
const base::SeparationId kShort(2);

const base::PackageId kModel{"m", "0"};

bool Always(const base::PackageId&) { return true; }

TEST_CASE("Case 27: a long separation and a short one take turns, chunk by chunk") {
  Rotation rotation;
  rotation.Add(kLong, kModel, 1000, {});
  rotation.Add(kShort, kModel, 3, {});
  std::vector<int64_t> order;
  for (int i = 0; i < 8; ++i) order.push_back(rotation.Next(Always)->id.value());
  CHECK(order == std::vector<int64_t>{1, 2, 1, 2, 1, 2, 1, 1});
}

TEST_CASE("a model whose queue is full does not hold up another") {
  Rotation rotation;
  const base::PackageId full{"full", "0"};
  rotation.Add(kLong, full, 5, {});
  rotation.Add(kShort, {"free", "0"}, 2, {});
  const auto free = [](const base::PackageId& package) { return package.name == "free"; };
  CHECK(rotation.Next(free)->id == kShort);
  CHECK(rotation.Next(free)->chunk == 1);
  CHECK_FALSE(rotation.Next(free));
  CHECK(rotation.WaitingPackages() == std::set<base::PackageId>{full});
}

TEST_CASE("two builds of a model have a queue each, and do not hold each other up") {
  Rotation rotation;
  rotation.Add(kLong, {"m", "old"}, 2, {});
  rotation.Add(kShort, {"m", "new"}, 1, {});
  const auto renewed = [](const base::PackageId& package) { return package.sha256 == "new"; };
  CHECK(rotation.WaitingPackages().size() == 2);
  CHECK(rotation.Next(renewed)->id == kShort);
  CHECK_FALSE(rotation.Next(renewed));
  CHECK(rotation.Next(Always)->id == kLong);
}

TEST_CASE("chunks that are done are not given out") {
  Rotation rotation;
  rotation.Add(kShort, kModel, 4, {true, false, true});
  CHECK(rotation.Next(Always)->chunk == 1);
  CHECK(rotation.Next(Always)->chunk == 3);
  CHECK_FALSE(rotation.HasWork(kShort));
  CHECK_FALSE(rotation.Next(Always));
}

TEST_CASE("a retry goes before chunks that were never given out, with its try number") {
  Rotation rotation;
  rotation.Add(kShort, kModel, 4, {});
  CHECK(rotation.Next(Always)->chunk == 0);
  rotation.Retry(kShort, 0, 2);
  rotation.Retry(kShort, 0, 2);  // a duplicate changes nothing
  const auto turn = rotation.Next(Always);
  CHECK(turn->chunk == 0);
  CHECK(turn->try_number == 2);
  CHECK(rotation.Next(Always)->chunk == 1);
}

TEST_CASE("a retry that is asked for twice is given out once, one that could not be sent, again") {
  Rotation rotation;
  rotation.Add(kShort, kModel, 1, {});
  REQUIRE(rotation.Next(Always)->try_number == 1);
  rotation.Retry(kShort, 0, 2);
  const auto turn = rotation.Next(Always);
  REQUIRE(turn->try_number == 2);
  rotation.Retry(kShort, 0, 2);
  CHECK_FALSE(rotation.Next(Always));
  rotation.PutBack(*turn);
  CHECK(rotation.Next(Always)->try_number == 2);
}

TEST_CASE("a retry of a chunk that the round has not reached is given out once, with its try") {
  Rotation rotation;
  rotation.Add(kShort, kModel, 2, {});
  rotation.Retry(kShort, 1, 2);
  CHECK(rotation.Next(Always)->chunk == 0);
  const auto turn = rotation.Next(Always);
  CHECK(turn->chunk == 1);
  CHECK(turn->try_number == 2);
  CHECK_FALSE(rotation.Next(Always));
}

TEST_CASE("a retry of a chunk that does not exist is ignored") {
  Rotation rotation;
  rotation.Add(kShort, kModel, 1, {true});
  rotation.Retry(kShort, 1, 2);
  rotation.Retry(kShort, -1, 2);
  rotation.Retry(kLong, 0, 2);
  CHECK_FALSE(rotation.Next(Always));
}

TEST_CASE("sending again gives out what is not done, as second tries at least") {
  Rotation rotation;
  rotation.Add(kShort, kModel, 3, {});
  while (rotation.Next(Always)) {
  }
  rotation.Retry(kShort, 2, 3);
  REQUIRE(rotation.Next(Always)->try_number == 3);
  rotation.Resend(kShort, {false, true, false});
  const auto first = rotation.Next(Always);
  CHECK(first->chunk == 0);
  CHECK(first->try_number == 2);
  const auto second = rotation.Next(Always);
  CHECK(second->chunk == 2);
  CHECK(second->try_number == 3);
  CHECK_FALSE(rotation.Next(Always));
}

TEST_CASE("chunks that are not ready wait, and hold nobody up") {
  Rotation rotation;
  rotation.Add(base::SeparationId(1), kModel, 3, {});
  rotation.SetReady(base::SeparationId(1), 0);
  const base::PackageId ready{"n", "0"};
  rotation.Add(base::SeparationId(2), ready, 1, {});
  CHECK(rotation.HasWork(base::SeparationId(1)));
  CHECK(rotation.WaitingPackages() == std::set<base::PackageId>{ready});
  CHECK(rotation.Next(Always)->id == base::SeparationId(2));
  CHECK_FALSE(rotation.Next(Always));
  rotation.SetReady(base::SeparationId(1), 2);
  CHECK(rotation.Next(Always)->chunk == 0);
  CHECK(rotation.Next(Always)->chunk == 1);
  rotation.PutBack({base::SeparationId(1), 1, 1});
  CHECK(rotation.Next(Always)->chunk == 1);
  CHECK_FALSE(rotation.Next(Always));
  CHECK(rotation.HasWork(base::SeparationId(1)));
  rotation.SetReady(base::SeparationId(1), 3);
  CHECK(rotation.Next(Always)->chunk == 2);
  CHECK_FALSE(rotation.HasWork(base::SeparationId(1)));
}

TEST_CASE("a removed separation gives no more chunks") {
  Rotation rotation;
  rotation.Add(kLong, kModel, 10, {});
  rotation.Add(kShort, kModel, 10, {});
  rotation.Remove(kLong);
  rotation.Remove(kLong);
  CHECK(rotation.Next(Always)->id == kShort);
  CHECK(rotation.Next(Always)->id == kShort);
}

}  // namespace
}  // namespace unbraid::splitter
