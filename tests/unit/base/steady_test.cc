#include "services/common/base/steady.h"

#include <catch2/catch.hpp>
#include <thread>

namespace unbraid::base {
namespace {

TEST_CASE("a pause is as long as it is to be, unless the end comes first") {
  StopSignal signal;
  const absl::Time begin = SteadyNow();
  CHECK_FALSE(signal.Pause(absl::Milliseconds(20)));
  CHECK(SteadyNow() - begin >= absl::Milliseconds(20));
  CHECK_FALSE(signal.stopped());
  std::thread other([&signal] { signal.Stop(); });
  CHECK(signal.Pause(absl::InfiniteDuration()));
  other.join();
  CHECK(signal.stopped());
  CHECK(signal.Pause(absl::InfiniteDuration()));
}

}  // namespace
}  // namespace unbraid::base
