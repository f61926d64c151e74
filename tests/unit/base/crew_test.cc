#include "services/common/base/crew.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>

namespace unbraid::base {
namespace {

TEST_CASE("every part is done once, however many threads there are") {
  for (int threads : {0, 1, 2, 8}) {
    Crew crew(threads);
    for (int count : {0, 1, 5}) {
      std::array<std::atomic<int>, 5> done{};
      REQUIRE(crew.Run(count,
                       [&](int part) {
                         ++done[static_cast<size_t>(part)];
                         return absl::OkStatus();
                       })
                  .ok());
      for (int part = 0; part < 5; ++part)
        CHECK(done[static_cast<size_t>(part)] == (part < count ? 1 : 0));
    }
  }
}

TEST_CASE("of several errors that of the lowest part is told, and the other parts are done") {
  Crew crew(3);
  std::atomic<int> done = 0;
  const absl::Status status = crew.Run(6, [&](int part) {
    ++done;
    return part < 2 ? absl::OkStatus() : absl::InternalError(std::to_string(part));
  });
  CHECK(status == absl::InternalError("2"));
  CHECK(done == 6);
}

}  // namespace
}  // namespace unbraid::base
